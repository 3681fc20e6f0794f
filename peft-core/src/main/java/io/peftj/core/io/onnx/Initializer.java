package io.peftj.core.io.onnx;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.StoredType;
import io.peftj.core.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A named constant of an ONNX graph.
 *
 * @param dataType the number of its type in onnx.proto
 * @param dims the sizes as the file gives them, not checked yet
 * @param data its bytes; null where the values stand elsewhere or in a form that is not read
 */
record Initializer(
        String name,
        long dataType,
        List<Long> dims,
        @Nullable ByteBuffer data) {
    /** Field numbers of onnx.proto's TensorProto. */
    private static final int DIMS = 1;

    private static final int DATA_TYPE = 2;
    private static final int SEGMENT = 3;
    private static final int FLOAT_DATA = 4;
    private static final int NAME = 8;
    private static final int RAW_DATA = 9;
    private static final int EXTERNAL_DATA = 13;
    private static final int DATA_LOCATION = 14;

    private static final int MAX_RANK = 32;
    private static final int LONGEST_NAME = 1000;

    private static final long FLOAT = 1;
    private static final long INT64 = 7;
    /** INT32, INT64, BOOL: what graphs compute positions and masks from. */
    private static final Set<Long> BUFFERS = Set.of(6L, 7L, 9L);

    private static final Map<Long, String> OTHER_TYPES = Map.of(
            2L,
            "UINT8",
            3L,
            "INT8",
            4L,
            "UINT16",
            5L,
            "INT16",
            8L,
            "STRING",
            10L,
            "FLOAT16",
            11L,
            "DOUBLE",
            12L,
            "UINT32",
            13L,
            "UINT64",
            16L,
            "BFLOAT16");

    static Initializer parse(ProtobufReader tensor, String source) {
        String name = "";
        long dataType = 0;
        List<Long> dims = new ArrayList<>();
        @Nullable ByteBuffer data = null;
        boolean external = false;
        while (tensor.next()) {
            switch (tensor.field()) {
                case DIMS -> addDims(tensor, dims, source);
                case DATA_TYPE -> dataType = tensor.varint();
                case NAME -> name = tensor.string();
                case RAW_DATA, FLOAT_DATA -> {
                    if (data != null || !tensor.isBytes()) {
                        throw new InvalidFileException(source + ": expected the values of initializer \"" + name
                                + "\" in one piece, found several; export the model again");
                    }
                    data = tensor.bytes();
                }
                case EXTERNAL_DATA -> {
                    tensor.skip();
                    external = true;
                }
                case DATA_LOCATION -> external |= tensor.varint() != 0;
                case SEGMENT ->
                    throw new InvalidFileException(
                            source + ": expected whole tensors, found a segment of one; export the model again");
                default -> tensor.skip();
            }
        }
        if (name.isEmpty() || name.length() > LONGEST_NAME) {
            throw new InvalidFileException(source + ": expected initializers with names of up to " + LONGEST_NAME
                    + " characters, found one of " + name.length() + "; export the model again");
        }
        if (external) {
            throw new InvalidFileException(source + ": expected the values of initializer \"" + name
                    + "\" in the file itself, found them in another (external data); save the model in one file,"
                    + " or use its safetensors files");
        }
        return new Initializer(name, dataType, dims, data);
    }

    private static void addDims(ProtobufReader tensor, List<Long> dims, String source) {
        if (tensor.isBytes()) {
            ProtobufReader packed = tensor.message();
            while (packed.hasRemaining() && dims.size() <= MAX_RANK) {
                dims.add(packed.packedVarint());
            }
        } else {
            dims.add(tensor.varint());
        }
        if (dims.size() > MAX_RANK) {
            throw new InvalidFileException(
                    source + ": expected tensors of at most " + MAX_RANK + " axes, found more; the file is damaged");
        }
    }

    boolean isFloat() {
        return dataType == FLOAT;
    }

    /** Refuses weights in formats that are not read, which must not be mistaken for buffers. */
    void requireReadable(String source) {
        if (!isFloat() && !BUFFERS.contains(dataType)) {
            throw new InvalidFileException(source + ": expected single-precision weights (FLOAT), found initializer \""
                    + name + "\" of type " + OTHER_TYPES.getOrDefault(dataType, "number " + dataType)
                    + "; quantised and half-precision ONNX files are not read, use the model's float32 file");
        }
    }

    StoredTensor tensor(String source) {
        ByteBuffer values = values(source);
        return StoredTensor.of(name, source, StoredType.F32, shape(source), () -> values);
    }

    /** This [in, out] matrix as [out, in], under another name; computed whenever its values are asked for. */
    StoredTensor transposed(String newName, String source) {
        Shape shape = shape(source);
        if (shape.rank() != 2) {
            throw new InvalidFileException(source + ": expected a matrix for the weight of \"" + newName + "\", found "
                    + name + " of shape " + shape + "; export the model again");
        }
        ByteBuffer values = values(source);
        int in = shape.dim(0);
        int out = shape.dim(1);
        return StoredTensor.of(newName, source, StoredType.F32, Shape.of(out, in), () -> transpose(values, in, out));
    }

    private static ByteBuffer transpose(ByteBuffer values, int in, int out) {
        ByteBuffer transposed = ByteBuffer.allocate(values.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        for (int o = 0; o < out; o++) {
            for (int i = 0; i < in; i++) {
                transposed.putInt(values.getInt((i * out + o) * Float.BYTES));
            }
        }
        return transposed.flip();
    }

    private Shape shape(String source) {
        int[] sizes = new int[dims.size()];
        long bytes = Float.BYTES;
        try {
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = Math.toIntExact(dims.get(i));
                bytes = Math.multiplyExact(bytes, dims.get(i));
            }
        } catch (ArithmeticException e) {
            throw badSizes(source);
        }
        if (dims.stream().anyMatch(dim -> dim < 0)) {
            throw badSizes(source);
        }
        return Shape.of(sizes);
    }

    private InvalidFileException badSizes(String source) {
        return new InvalidFileException(source + ": expected sizes from 0 to 2^31 - 1 for initializer \"" + name
                + "\", found " + dims + "; the file is damaged");
    }

    private ByteBuffer values(String source) {
        long expected = shape(source).size() * Float.BYTES;
        int found = data == null ? 0 : data.remaining();
        if (found != expected) {
            throw new InvalidFileException(source + ": expected " + expected + " bytes for initializer \"" + name
                    + "\" of shape " + dims + ", found " + found + "; the file is cut short or damaged");
        }
        return data == null ? ByteBuffer.allocate(0) : data;
    }

    /** The value of a nameless tensor of one int64, as nodes carry them; null for any other. */
    static @Nullable Long onlyInteger(ProtobufReader tensor) {
        long dataType = 0;
        @Nullable ByteBuffer data = null;
        while (tensor.next()) {
            if (tensor.field() == DATA_TYPE) {
                dataType = tensor.varint();
            } else if (tensor.field() == RAW_DATA && tensor.isBytes()) {
                data = tensor.bytes();
            } else {
                tensor.skip();
            }
        }
        return dataType == INT64 && data != null && data.remaining() == Long.BYTES
                ? data.order(ByteOrder.LITTLE_ENDIAN).getLong(data.position())
                : null;
    }
}
