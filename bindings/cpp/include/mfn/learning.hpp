/// \file
/// Learning: sparse attention, and a small network trained with Adam.
///
/// Arrays are contiguous, row by row: tokens are batch x length x numbers in a token.
#pragma once

#include <mfn/handle.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mfn {

/// Shape of an attention layer.
struct attention_config : sized<mfn_attention_config> {
    /// embed_dim: numbers in a token; num_heads divides it; top_k: keys that a query attends to.
    attention_config(std::uint64_t numbers, std::uint64_t heads, std::uint64_t keys) noexcept {
        embed_dim = numbers;
        num_heads = heads;
        top_k = keys;
    }
};

/// A layer of sparse attention.
class attention : public detail::handle<mfn_attention, mfn_attention_free> {
public:
    /// Takes a handle of the C interface over.
    explicit attention(mfn_attention* raw) noexcept : handle(raw) {}

    /// A layer whose parameters are drawn from a seed. [any-thread]
    static result<attention> create(const attention_config& config, std::uint64_t seed) {
        return create(config, {}, seed);
    }
    /// A layer with parameters: weight and bias of the query, key, value and output layers; none: drawn from the seed.
    /// [any-thread]
    static result<attention> create(const attention_config& config, span<const double> parameters,
                                    std::uint64_t seed = 0) {
        return detail::make<attention>(mfn_attention_create, static_cast<const mfn_attention_config*>(&config),
                                       parameters.empty() ? nullptr : parameters.data(), parameters.size(), seed);
    }
    /// The output for `batch` sequences of `length` tokens. [any-thread]
    [[nodiscard]] result<std::vector<double>> forward(span<const double> tokens, std::size_t batch,
                                                      std::size_t length) const {
        std::vector<double> output(tokens.size());
        auto done = detail::call(mfn_attention_forward, get(), tokens.data(), batch, length, output.data(),
                                 output.size());
        if (!done) return done.error();
        return output;
    }
};

/// Shape and training of a network; begins with the defaults.
struct network_config : sized<mfn_network_config> {
    network_config() noexcept { detail::initialise<mfn_network_config>(*this, mfn_network_config_init); }
};

/// A network with its training.
class network : public detail::handle<mfn_network, mfn_network_free> {
public:
    /// Takes a handle of the C interface over, whose tokens have `input_dim` numbers.
    network(mfn_network* raw, std::size_t input_dim) noexcept : handle(raw), input_dim_(input_dim) {}

    /// A network whose parameters are drawn from a seed. [any-thread]
    static result<network> create(std::uint64_t seed, const network_config& config = {}) {
        auto raw = detail::fetch<mfn_network*>(mfn_network_create, static_cast<const mfn_network_config*>(&config),
                                               seed);
        if (!raw) return raw.error();
        return network(*raw, static_cast<std::size_t>(config.input_dim));
    }

    /// One number for each of `batch` sequences of `length` tokens. [any-thread]
    [[nodiscard]] result<std::vector<double>> forward(span<const double> x, std::size_t batch,
                                                      std::size_t length) const {
        if (!detail::is_product(x.size(), {batch, length, input_dim_})) return wrong_input(x.size());
        std::vector<double> output(batch);
        auto done = detail::call(mfn_network_forward, get(), x.data(), batch, length, output.data());
        if (!done) return done.error();
        return output;
    }
    /// One step of Adam on the mean squared error between the outputs for x and y. Gives the error before the step.
    /// [one-thread-per-handle]
    result<double> train_step(span<const double> x, std::size_t batch, std::size_t length, span<const double> y) {
        if (!detail::is_product(x.size(), {batch, length, input_dim_})) return wrong_input(x.size());
        if (y.size() != batch) return detail::wrong_size("y", y.size(), "one for each sequence");
        double loss = 0;
        auto done = detail::call(mfn_network_train_step, get(), x.data(), batch, length, y.data(), &loss);
        if (!done) return done.error();
        return loss;
    }

    /// Number of parameters. [any-thread]
    [[nodiscard]] std::size_t parameter_count() const noexcept { return mfn_network_parameter_count(get()); }
    /// A copy of the parameters. [any-thread]
    [[nodiscard]] result<std::vector<double>> parameters() const {
        std::vector<double> copy(parameter_count());
        auto done = detail::call(mfn_network_parameters, get(), copy.data(), copy.size());
        if (!done) return done.error();
        return copy;
    }
    /// Replaces the parameters and starts Adam anew. [one-thread-per-handle]
    result<void> set_parameters(span<const double> parameters) {
        return detail::call(mfn_network_set_parameters, get(), parameters.data(), parameters.size());
    }

private:
    static error wrong_input(std::size_t size) {
        return detail::wrong_size("x", size, "batch * length * input_dim");
    }

    std::size_t input_dim_;
};

}  // namespace mfn
