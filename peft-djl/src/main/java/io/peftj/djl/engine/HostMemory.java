package io.peftj.djl.engine;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.peftj.core.PeftException;
import io.peftj.core.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * Moves values between Java's memory and libtorch's.
 *
 * <p>Values are written into memory that libtorch allocated, so nothing ever refers to a Java array or buffer afterwards.
 */
final class HostMemory {
    private final PtNDManager manager;
    private final TorchCalls calls;
    private final boolean onHost;

    /**
     * Uses a manager, which ends up empty after every transfer.
     *
     * @param onHost whether the backend computes in the host's memory, so that what was written need not move
     */
    HostMemory(PtNDManager manager, TorchCalls calls, boolean onHost) {
        this.manager = manager;
        this.calls = calls;
        this.onHost = onHost;
    }

    TorchBuffer upload(float[] values, Shape shape, ScalarType type) {
        return upload(
                DataType.FLOAT32, ScalarType.F32, bytes -> bytes.asFloatBuffer().put(values), new Form(shape, type));
    }

    TorchBuffer upload(double[] values, Shape shape) {
        Form form = new Form(shape, ScalarType.F64);
        return upload(
                DataType.FLOAT64,
                ScalarType.F64,
                bytes -> bytes.asDoubleBuffer().put(values),
                form);
    }

    TorchBuffer upload(long[] values) {
        Form form = Form.of(ScalarType.I64, values.length);
        return upload(
                DataType.INT64, ScalarType.I64, bytes -> bytes.asLongBuffer().put(values), form);
    }

    /** A matrix of a file's bytes; direct buffers are read where they are. */
    TorchBuffer upload(ByteBuffer bytes, ScalarType encoding, Form form) {
        ByteBuffer all = bytes.slice();
        try (PtNDArray raw = all.isDirect() ? borrow(all) : copy(all);
                IValue value = IValue.from(raw)) {
            IValue matrix =
                    calls.run("from_bytes", value, encoding.code(), form.type().code(), longs(form.shape()));
            return calls.own(matrix, form, Strides.contiguous(form.shape()));
        }
    }

    float[] readFloats(TorchBuffer x) {
        float[] values = new float[Math.toIntExact(x.form().shape().size())];
        read(x, ScalarType.F32, bytes -> bytes.asFloatBuffer().get(values));
        return values;
    }

    double[] readDoubles(TorchBuffer x) {
        double[] values = new double[Math.toIntExact(x.form().shape().size())];
        read(x, ScalarType.F64, bytes -> bytes.asDoubleBuffer().get(values));
        return values;
    }

    private TorchBuffer upload(DataType as, ScalarType written, Consumer<ByteBuffer> writer, Form form) {
        try (PtNDArray array = allocate(as, form.shape())) {
            writer.accept(JniUtils.getByteBuffer(array, true));
            IValue value = IValue.from(array);
            if (onHost && written == form.type()) {
                return calls.own(value, form, Strides.contiguous(form.shape()));
            }
            try (value) {
                return calls.one("to_device", form, value, form.type().code());
            }
        }
    }

    private void read(TorchBuffer x, ScalarType as, Consumer<ByteBuffer> reader) {
        if (x.form().shape().size() == 0) {
            return;
        }
        try (IValue host = calls.run("to_host", x, as.code());
                PtNDArray array = host.toTensor(manager)) {
            reader.accept(JniUtils.getByteBuffer(array, true));
        }
    }

    private PtNDArray allocate(DataType type, Shape shape) {
        try {
            return JniUtils.createEmptyNdArray(
                    manager, new ai.djl.ndarray.types.Shape(longs(shape)), type, Device.cpu(), SparseFormat.DENSE);
        } catch (RuntimeException e) {
            throw new PeftException("libtorch could not allocate " + shape + " of " + type + ": " + e.getMessage(), e);
        }
    }

    private PtNDArray borrow(ByteBuffer bytes) {
        return JniUtils.createNdFromByteBuffer(
                manager,
                bytes,
                new ai.djl.ndarray.types.Shape(bytes.remaining()),
                DataType.UINT8,
                SparseFormat.DENSE,
                Device.cpu());
    }

    private PtNDArray copy(ByteBuffer bytes) {
        PtNDArray array = allocate(DataType.UINT8, Shape.of(bytes.remaining()));
        JniUtils.getByteBuffer(array, true).put(bytes);
        return array;
    }

    private static long[] longs(Shape shape) {
        return StructureKernels.longs(shape.dims());
    }
}
