//! A Vulkan layer of Mesa looks for a desktop whenever devices are listed, and complains on stderr where there is none.

use std::env;

/// Leaves the layer out where there is no desktop, unless it is told what to select. To be called before any other thread is
/// started.
#[expect(unsafe_code, reason = "there is no other way to tell the Vulkan loader; the argument stands below")]
pub(crate) fn leave_out_the_search_for_a_desktop() {
    let is_unset = |name: &str| env::var_os(name).is_none();
    if is_unset("XDG_RUNTIME_DIR") && is_unset("MESA_VK_DEVICE_SELECT") && is_unset("NODEVICE_SELECT") {
        // SAFETY: this is the first thing that the process does, and no other thread reads the environment meanwhile.
        unsafe { env::set_var("NODEVICE_SELECT", "1") };
    }
}
