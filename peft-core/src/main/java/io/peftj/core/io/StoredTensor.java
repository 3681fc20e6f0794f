package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * One named tensor as a file holds it: little-endian elements, row-major, in the file's own number format.
 *
 * <p>A tensor from a mapped file costs no Java memory until its values are asked for, and stays readable after its
 * file was closed: the mapping goes when the last buffer into it does.
 */
public final class StoredTensor {
    private final String name;
    private final String origin;
    private final StoredType type;
    private final Shape shape;
    private final Supplier<List<ByteBuffer>> content;

    StoredTensor(String name, String origin, StoredType type, Shape shape, Supplier<List<ByteBuffer>> content) {
        this.name = name;
        this.origin = origin;
        this.type = type;
        this.shape = shape;
        this.content = content;
    }

    /**
     * A tensor of a file format that this package does not read itself.
     *
     * @param origin the file's name, for messages
     * @param content the bytes, little-endian and row-major, asked for whenever elements are
     */
    public static StoredTensor of(
            String name, String origin, StoredType type, Shape shape, Supplier<ByteBuffer> content) {
        return new StoredTensor(
                name, origin, type, shape, () -> List.of(content.get().asReadOnlyBuffer()));
    }

    /** A single-precision tensor to be written; its values are encoded when they are. */
    public static StoredTensor f32(String name, HostTensor tensor) {
        return inMemory(name, StoredType.F32, tensor.shape(), () -> Encoding.f32(tensor.values()));
    }

    /** A bfloat16 tensor to be written: each value rounded to the nearest, ties to even. */
    public static StoredTensor bf16(String name, HostTensor tensor) {
        return inMemory(name, StoredType.BF16, tensor.shape(), () -> Encoding.bf16(tensor.values()));
    }

    /**
     * A tensor of floating-point numbers to be written, each rounded to the nearest that the type has.
     *
     * @param values as many as the shape has elements, row-major; asked for when they are written
     * @throws IllegalArgumentException if the type is one of integers
     */
    public static StoredTensor floating(String name, StoredType type, Shape shape, Supplier<float[]> values) {
        return inMemory(name, type, shape, () -> switch (type) {
            case F64 -> Encoding.f64(values.get());
            case F32 -> Encoding.f32(values.get());
            case BF16 -> Encoding.bf16(values.get());
            case F16 -> Encoding.f16(values.get());
            default ->
                throw new IllegalArgumentException(
                        "tensor \"" + name + "\": " + type + " holds no floating-point numbers");
        });
    }

    /** The same tensor under another name. */
    public StoredTensor named(String other) {
        return new StoredTensor(other, origin, type, shape, content);
    }

    /**
     * A tensor of 64-bit integers to be written.
     *
     * @throws IllegalArgumentException if the number of values is not the shape's
     */
    public static StoredTensor i64(String name, Shape shape, long... values) {
        if (shape.size() != values.length) {
            throw new IllegalArgumentException("tensor \"" + name + "\": shape " + shape + " has " + shape.size()
                    + " elements, but " + values.length + " values were given");
        }
        return inMemory(name, StoredType.I64, shape, () -> Encoding.i64(values));
    }

    private static StoredTensor inMemory(
            String name, StoredType type, Shape shape, Supplier<List<ByteBuffer>> content) {
        return new StoredTensor(name, "memory", type, shape, content);
    }

    /** The tensor's name in its file. */
    public String name() {
        return name;
    }

    /** The number format of the elements. */
    public StoredType type() {
        return type;
    }

    /** The sizes of the axes. */
    public Shape shape() {
        return shape;
    }

    /** Bytes of all elements. */
    public long byteSize() {
        return shape.size() * type.bytes();
    }

    /**
     * The bytes of all elements, read-only and little-endian.
     *
     * @throws InvalidFileException if they are 2 GiB or more, too many for one buffer: use {@link #parts()}
     */
    public ByteBuffer bytes() {
        List<ByteBuffer> parts = parts();
        if (parts.size() != 1) {
            throw new InvalidFileException(
                    this + " has " + byteSize() + " bytes, more than one buffer can hold (2 GiB); read it in parts");
        }
        return parts.get(0);
    }

    /**
     * The bytes in consecutive buffers, each read-only, little-endian and of whole elements; one buffer below 2 GiB,
     * otherwise all but the last are of one size.
     */
    public List<ByteBuffer> parts() {
        // Fresh views: a buffer's position must not be shared between callers.
        return content.get().stream()
                .map(part -> part.duplicate().order(ByteOrder.LITTLE_ENDIAN))
                .toList();
    }

    /**
     * The elements as single precision: exact for F32, F16 and BF16, the nearest value for F64.
     *
     * @throws InvalidFileException if the elements are integers, or too many for an array
     */
    public float[] toFloats() {
        requireFloating();
        float[] values = new float[elements()];
        int at = 0;
        for (ByteBuffer part : parts()) {
            at += Decoding.toFloats(type, part, values, at);
        }
        return values;
    }

    /**
     * The elements at row-major places, without converting the others; errors as for {@link #toFloats()}.
     *
     * @throws IndexOutOfBoundsException if a place is not below the shape's number of elements
     */
    public float[] toFloatsAt(long... places) {
        requireFloating();
        List<ByteBuffer> parts = parts();
        float[] values = new float[places.length];
        for (int i = 0; i < places.length; i++) {
            long offset = Objects.checkIndex(places[i], shape.size()) * type.bytes();
            // All parts but the last are of one size.
            int partBytes = parts.get(0).remaining();
            ByteBuffer part = parts.get((int) (offset / partBytes));
            ByteBuffer element =
                    part.slice((int) (offset % partBytes), type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            Decoding.toFloats(type, element, values, i);
        }
        return values;
    }

    /**
     * The elements as integers; BOOL gives 0 and 1, U8 is unsigned.
     *
     * @throws InvalidFileException if the elements are floating-point numbers, or too many for an array
     */
    public long[] toLongs() {
        if (type.isFloating()) {
            throw new InvalidFileException(this + ": expected integers (I64, I32, I16, I8, U8 or BOOL), found " + type
                    + "; write the tensor with an integer type");
        }
        long[] values = new long[elements()];
        int at = 0;
        for (ByteBuffer part : parts()) {
            at += Decoding.toLongs(type, part, values, at);
        }
        return values;
    }

    /** Shape and elements as single precision; errors as for {@link #toFloats()}. */
    public HostTensor toHostTensor() {
        return HostTensor.of(shape, toFloats());
    }

    private void requireFloating() {
        if (!type.isFloating()) {
            throw new InvalidFileException(this + ": expected floating-point numbers (F32, F16, BF16 or F64), found "
                    + type + "; quantised weights are not read, use the model's unquantised files");
        }
    }

    private int elements() {
        // The largest array that every JVM grants.
        if (shape.size() > Integer.MAX_VALUE - 8) {
            throw new InvalidFileException(this + " has " + shape.size()
                    + " elements, more than a Java array can hold (2147483639); read its bytes in parts");
        }
        return (int) shape.size();
    }

    /** Name, type, shape and file, for messages. */
    @Override
    public String toString() {
        return "tensor \"" + NearNames.shorten(name) + "\" (" + type + " " + shape + ", " + origin + ")";
    }
}
