//! The whole path, as a user walks it: the staged C program with the real library and the real
//! plugins, on copies of examples/. Nothing here knows how the pieces are made; everything is seen
//! from outside, through files, sockets, signals and exit codes.

mod client;
mod demo;
mod footprint;
mod http;
mod kill;
mod live;
mod results;
mod site;
