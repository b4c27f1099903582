/// \file
/// The C++ interface of libmfn: everything. Each header of the folder mfn can also be included by itself.
///
///     auto sim = mfn::simulation::create_json(R"({"grid_size": 128})").value_or_throw();
///     sim.run(200).value_or_throw();
///     std::printf("D_box %.3f\n", sim.features().value_or_throw().d_box);
///
/// Rules that hold everywhere:
///  - It is a thin layer over mfn.h, without code of its own to link and without an ABI of its own. Functions have the
///    stems of the C interface: mfn_sim_run() is mfn::simulation::run(). Fields of structs are described in mfn.h.
///  - Handles are move-only objects that free what they own. One that was moved from answers `status::invalid`.
///  - What can fail gives an mfn::result. Nothing throws on a failure of the library unless the program says
///    value_or_throw(); only std::bad_alloc comes without being asked for.
///  - Callbacks are any callables. What they throw stops the work and comes back with the result.
///  - Views and spans own nothing. Each function says how long what it lends lives; none lends from a temporary.
///  - [any-thread] and [one-thread-per-handle] mean what they mean in mfn.h. Texts are UTF-8 and end at the first NUL.
#pragma once

#include <mfn/aggregation.hpp>
#include <mfn/callback.hpp>
#include <mfn/component.hpp>
#include <mfn/config.hpp>
#include <mfn/connector.hpp>
#include <mfn/descriptors.hpp>
#include <mfn/ensemble.hpp>
#include <mfn/error.hpp>
#include <mfn/features.hpp>
#include <mfn/field.hpp>
#include <mfn/graph.hpp>
#include <mfn/handle.hpp>
#include <mfn/ifs.hpp>
#include <mfn/indexed.hpp>
#include <mfn/kinetics.hpp>
#include <mfn/learning.hpp>
#include <mfn/log.hpp>
#include <mfn/lyapunov.hpp>
#include <mfn/membrane.hpp>
#include <mfn/model.hpp>
#include <mfn/outcome.hpp>
#include <mfn/picture.hpp>
#include <mfn/pipeline.hpp>
#include <mfn/plasticity.hpp>
#include <mfn/publisher.hpp>
#include <mfn/record.hpp>
#include <mfn/result.hpp>
#include <mfn/runtime.hpp>
#include <mfn/simulation.hpp>
#include <mfn/span.hpp>
#include <mfn/spec.hpp>
#include <mfn/sweep.hpp>
#include <mfn/transport.hpp>
#include <mfn/validation.hpp>
#include <mfn/version.hpp>
#include <mfn/view.hpp>
