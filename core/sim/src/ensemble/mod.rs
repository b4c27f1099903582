//! Many runs over one pool of threads.
