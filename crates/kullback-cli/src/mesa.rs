//! A Vulkan layer of Mesa looks for a desktop whenever devices are listed. If there is none, it complains on stderr.

use std::env;

/// Disables the layer if there is no desktop, unless the user told the layer what to select. Call this before any other thread
/// starts.
#[expect(unsafe_code, reason = "there is no other way to tell the Vulkan loader; the argument stands below")]
pub(crate) fn leave_out_the_search_for_a_desktop() {
    let is_unset = |name: &str| env::var_os(name).is_none();
    if is_unset("XDG_RUNTIME_DIR") && is_unset("MESA_VK_DEVICE_SELECT") && is_unset("NODEVICE_SELECT") {
        // SAFETY: this is the first thing that the process does, so no other thread reads the environment meanwhile.
        unsafe { env::set_var("NODEVICE_SELECT", "1") };
    }
}
