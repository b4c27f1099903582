//! Recording a run every k steps in bounded memory.
