package io.peftj.djl.engine;

import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import java.util.Arrays;
import java.util.List;

/** Decompositions by libtorch's LAPACK. */
final class TorchLinearAlgebra implements LinearAlgebra {
    private final TorchBackend backend;
    private final TorchCalls calls;
    private final HostMemory host;

    TorchLinearAlgebra(TorchBackend backend, TorchCalls calls, HostMemory host) {
        this.backend = backend;
        this.calls = calls;
        this.host = host;
    }

    @Override
    public Svd svd(Matrix a) {
        int smaller = Math.min(a.rows(), a.columns());
        List<Form> forms = List.of(
                Form.of(ScalarType.F64, a.rows(), smaller),
                Form.of(ScalarType.F64, smaller),
                Form.of(ScalarType.F64, smaller, a.columns()));
        List<double[]> parts = decompose("svd", a, forms);
        return new Svd(
                Matrix.of(a.rows(), smaller, parts.get(0)),
                Matrix.of(smaller, 1, parts.get(1)),
                Matrix.of(smaller, a.columns(), parts.get(2)));
    }

    @Override
    public Qr qr(Matrix a) {
        int smaller = Math.min(a.rows(), a.columns());
        List<Form> forms =
                List.of(Form.of(ScalarType.F64, a.rows(), smaller), Form.of(ScalarType.F64, smaller, a.columns()));
        List<double[]> parts = decompose("qr", a, forms);
        return new Qr(Matrix.of(a.rows(), smaller, parts.get(0)), Matrix.of(smaller, a.columns(), parts.get(1)));
    }

    private List<double[]> decompose(String kernel, Matrix a, List<Form> forms) {
        a.requireFinite(kernel);
        return backend.call(() -> {
            TorchBuffer x = host.upload(a.values(), Shape.of(a.rows(), a.columns()));
            TorchBuffer[] parts = {};
            try {
                parts = calls.several(kernel, forms, x);
                return Arrays.stream(parts).map(host::readDoubles).toList();
            } finally {
                x.release();
                for (TorchBuffer part : parts) {
                    part.release();
                }
            }
        });
    }
}
