/// \file
/// Grid operators: Laplacian, gradient and summary numbers of a program's own field, of any shape and strides.
#pragma once

#include <mfn/handle.hpp>
#include <mfn/spec.hpp>
#include <mfn/view.hpp>

namespace mfn {

/// Summary numbers of a field, in its unit.
using field_statistics = sized<mfn_field_statistics>;

/// Writes the five-point Laplacian, row by row; `laplacian` has rows * cols numbers and may be the field's own array.
/// [any-thread]
inline result<void> field_laplacian(field_view field, boundary::type edges, span<double> laplacian) {
    return detail::call(mfn_field_laplacian, &field.get(), edges, laplacian.data(), laplacian.size());
}

/// Writes the gradient by central differences, row by row; both arrays have rows * cols numbers. [any-thread]
inline result<void> field_gradient(field_view field, boundary::type edges, span<double> along_rows,
                                   span<double> along_columns) {
    if (along_rows.size() != along_columns.size())
        return detail::wrong_size("along_columns", along_columns.size(), "as many as along_rows");
    return detail::call(mfn_field_gradient, &field.get(), edges, along_rows.data(), along_columns.data(),
                        along_rows.size());
}

/// Summary numbers of a field whose cells may be NaN or infinite. [any-thread]
[[nodiscard]] inline result<field_statistics> field_summarise(field_view field) {
    return detail::fetch<field_statistics>(mfn_field_summarise, &field.get());
}

}  // namespace mfn
