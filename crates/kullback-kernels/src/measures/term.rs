//! What is summed over the bins. `table.rs` has the rest of each term.

use super::order::Order;

/// Makes the list of terms, with and without their orders.
macro_rules! terms {
    ($($(#[$doc:meta])* $name:ident $(($order:ident))?,)*) => {
        /// What is summed over the bins: one function of the contrast per term.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Term {
            $($(#[$doc])* $name $(($order))?,)*
        }

        /// A term without its order, which is a parameter of a kernel and not code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TermKind {
            $($name,)*
        }

        impl TermKind {
            /// Every kind.
            pub const ALL: &[TermKind] = &[$(TermKind::$name,)*];

            /// Whether it has an order.
            pub const fn has_order(self) -> bool {
                match self {
                    $(TermKind::$name => terms!(@has $($order)?),)*
                }
            }
        }

        impl Term {
            /// The term without its order.
            #[inline(always)]
            pub const fn kind(self) -> TermKind {
                match self {
                    $(Term::$name { .. } => TermKind::$name,)*
                }
            }

            /// The order of a term, if it has one.
            #[inline(always)]
            pub const fn order(self) -> Option<Order> {
                match self {
                    $($(Term::$name(order) => { let order: $order = order; Some(order) })?)*
                    _ => None,
                }
            }
        }
    };
    (@has) => { false };
    (@has $order:ident) => { true };
}

terms! {
    Kl,
    ReverseKl,
    Jeffreys,
    Js,
    /// KL(p̂‖m̂).
    LinK,
    SkewJs(Order),
    /// Of second order, with A·B in the place of ¼.
    PooledJs,
    /// 1 − BC.
    HellingerDeficit,
    /// BC itself, which `bhattacharyya` needs when it is small.
    Affinity,
    Tv,
    Chi2,
    NeymanChi2,
    Triangular,
    /// 1 − Σ p̂ᴬ q̂¹⁻ᴬ.
    PowerDeficit(Order),
    /// Σ p̂ᴬ q̂¹⁻ᴬ itself, which `renyi` needs when it is small.
    PowerSum(Order),
    /// ln Σ p̂ᴬ q̂¹⁻ᴬ where the sum itself leaves the range of a 64-bit float. The kernel that takes any row finds it then;
    /// else it is 0. For order ∞ it is ln max p̂/q̂, which only that kernel finds.
    LogPowerSum(Order),
    CrossEntropy,
    Entropy,
    /// ∫|F − G|.
    W1,
    /// max |F − G|.
    Ks,
}
