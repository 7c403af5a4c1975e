//! Types that hold secrets say that they are wiped when they end, and the compiler checks it of the fields that hold them.

/// `wiped!(Key: bytes)`.
macro_rules! wiped {
    ($type:ty: $($field:tt),+) => {
        const _: fn(&$type) = |value| {
            $($crate::wiped::is_wiped(&value.$field);)+
        };
        impl ::zeroize::ZeroizeOnDrop for $type {}
    };
}

/// Whether its type is wiped when it ends, for the compiler.
pub(crate) fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
