//! Small learning parts: plasticity, sparse attention, a network with Adam.
