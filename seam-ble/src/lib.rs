//! Mobile-key protocols as sans-IO state machines, usable in phones, locks and backends, for the seam SDK.
