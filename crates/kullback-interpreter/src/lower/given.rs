//! What a kernel has before its first step: builtin values, uniforms, variables.

use naga::{AddressSpace, Binding, BuiltIn, Function, GlobalVariable, Handle, TypeInner};

use super::layout::{self, Layout};
use super::pointer::{Pointer, Target};
use super::{Lowering, Value};
use crate::error::{Error, unsupported};
use crate::program::{Address, BindingInfo, Given, Register, SharedInfo, Space};

impl Lowering<'_> {
    pub(super) fn entry_arguments(&mut self, function: &Function) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        for argument in &function.arguments {
            let mut words = Vec::new();
            match (&argument.binding, &self.module.types[argument.ty].inner) {
                (Some(binding), _) => words.extend(self.builtin(binding)?),
                (None, TypeInner::Struct { members, .. }) => {
                    for member in members {
                        let Some(binding) = &member.binding else {
                            return unsupported("an argument without a binding");
                        };
                        words.extend(self.builtin(binding)?);
                    }
                }
                (None, _) => return unsupported("an argument without a binding"),
            }
            all.push(Value::Words(words));
        }
        Ok(all)
    }

    fn builtin(&mut self, binding: &Binding) -> Result<Vec<Register>, Error> {
        let three = |given: fn(usize) -> Given| (0..3).map(given).collect::<Vec<_>>();
        let given = match binding {
            Binding::BuiltIn(BuiltIn::WorkGroupId) => three(Given::WorkgroupId),
            Binding::BuiltIn(BuiltIn::NumWorkGroups) => three(Given::Workgroups),
            Binding::BuiltIn(BuiltIn::LocalInvocationId) => three(Given::LocalId),
            Binding::BuiltIn(BuiltIn::GlobalInvocationId) => three(Given::GlobalId),
            Binding::BuiltIn(BuiltIn::LocalInvocationIndex) => vec![Given::LocalIndex],
            Binding::BuiltIn(BuiltIn::SubgroupSize) => vec![Given::SubgroupSize],
            Binding::BuiltIn(BuiltIn::SubgroupInvocationId) => vec![Given::SubgroupLane],
            Binding::BuiltIn(BuiltIn::SubgroupId) => vec![Given::Subgroup],
            Binding::BuiltIn(BuiltIn::NumSubgroups) => vec![Given::Subgroups],
            Binding::BuiltIn(BuiltIn::WorkGroupSize) => self.program.size.map(Given::Constant).to_vec(),
            other => return unsupported(format!("{other:?}")),
        };
        Ok(given.into_iter().map(|given| self.given(given)).collect())
    }

    fn given(&mut self, given: Given) -> Register {
        let register = self.register();
        self.program.given.push((register, given));
        register
    }

    /// A word of a uniform, which is the same for all lanes.
    pub(super) fn uniform(&mut self, binding: usize, word: u32) -> Register {
        let key = (0, binding, word);
        if let Some(register) = self.given.get(&key) {
            return *register;
        }
        let register = self.given(Given::Uniform { binding, word });
        self.given.insert(key, register);
        register
    }

    /// The number of elements of a runtime array.
    pub(super) fn length(&mut self, pointer: &Pointer) -> Result<Register, Error> {
        let Target::Type(ty) = pointer.target else { return unsupported("the length of a component") };
        let (Space::Binding(binding), TypeInner::Array { base, stride, .. }) =
            (pointer.address.space, &self.module.types[ty].inner)
        else {
            return unsupported("the length of what is no runtime array");
        };
        let offset = pointer.address.offset;
        let key = (1, binding, offset);
        if let Some(register) = self.given.get(&key) {
            return Ok(*register);
        }
        let stride = pointer.layout.stride(self.module, *base, *stride)?;
        let register = self.given(Given::Length { binding, offset, stride });
        self.given.insert(key, register);
        Ok(register)
    }

    /// A pointer to a variable of the module.
    pub(super) fn global(&mut self, handle: Handle<GlobalVariable>) -> Result<Pointer, Error> {
        let variable = &self.module.global_variables[handle];
        let name = variable.name.clone().unwrap_or_default();
        let inner = &self.module.types[variable.ty].inner;
        let (layout, is_uniform) = match variable.space {
            AddressSpace::Uniform => (Layout::Host, true),
            AddressSpace::Storage { .. } => (Layout::Host, false),
            AddressSpace::WorkGroup => (Layout::Dense, false),
            ref other => return unsupported(format!("`{name}` in the address space {other:?}")),
        };
        let space = match self.globals.get(&handle) {
            Some(space) => *space,
            None if variable.space == AddressSpace::WorkGroup => {
                self.program.shared.push(SharedInfo { name, words: layout::count(self.module, inner)? });
                Space::Shared(self.program.shared.len() - 1)
            }
            None => {
                let Some(binding) = &variable.binding else {
                    return unsupported(format!("`{name}` without a binding"));
                };
                if binding.group != 0 {
                    return unsupported(format!("`{name}` in group {}", binding.group));
                }
                let least = layout::least(self.module, inner)?;
                self.program.bindings.push(BindingInfo { name, binding: binding.binding, least });
                Space::Binding(self.program.bindings.len() - 1)
            }
        };
        self.globals.insert(handle, space);
        let address = Address { space, offset: 0, indices: Vec::new() };
        Ok(Pointer { address, layout, target: Target::Type(variable.ty), is_uniform })
    }
}
