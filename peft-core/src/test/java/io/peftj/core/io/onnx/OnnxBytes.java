package io.peftj.core.io.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes just enough protobuf to make small ONNX files, wrong ones too. */
final class OnnxBytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    OnnxBytes varint(int field, long value) {
        raw((long) field << 3);
        return raw(value);
    }

    OnnxBytes bytes(int field, byte[] value) {
        raw(((long) field << 3) | 2);
        raw(value.length);
        bytes.writeBytes(value);
        return this;
    }

    OnnxBytes string(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    OnnxBytes message(int field, OnnxBytes message) {
        return bytes(field, message.toByteArray());
    }

    /** A varint without a tag. */
    OnnxBytes raw(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes.write((int) (rest & 0x7F) | 0x80);
            rest >>>= 7;
        }
        bytes.write((int) rest);
        return this;
    }

    byte[] toByteArray() {
        return bytes.toByteArray();
    }

    static OnnxBytes model(OnnxBytes graph) {
        return new OnnxBytes().varint(1, 7).string(2, "pytorch").message(7, graph);
    }

    static OnnxBytes graph(OnnxBytes... initializers) {
        OnnxBytes graph = new OnnxBytes().string(2, "main_graph");
        for (OnnxBytes initializer : initializers) {
            graph.message(5, initializer);
        }
        return graph;
    }

    /** A node with named inputs. */
    static OnnxBytes node(String operation, String name, String... inputs) {
        OnnxBytes node = new OnnxBytes();
        for (String input : inputs) {
            node.string(1, input);
        }
        return node.string(2, "output").string(3, name).string(4, operation);
    }

    /** A single-precision tensor with its values in raw_data. */
    static OnnxBytes floats(String name, long[] dims, float... values) {
        return tensor(name, 1, dims).bytes(9, littleEndian(values));
    }

    /** A tensor without values. */
    static OnnxBytes tensor(String name, int type, long... dims) {
        OnnxBytes tensor = new OnnxBytes();
        Arrays.stream(dims).forEach(dim -> tensor.varint(1, dim));
        return tensor.varint(2, type).string(8, name);
    }

    static byte[] littleEndian(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}
