package io.peftj.core.io.gguf;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.NearNames;
import io.peftj.core.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What stands before the data of a GGUF file: metadata, and where each tensor lies.
 *
 * @param metadata values by key
 * @param entries the tensors in the order of their data
 */
record GgufHeader(JsonObject metadata, List<Entry> entries) {
    private static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
    private static final int MAX_KEYS = 10_000;
    private static final int MAX_TENSORS = 20_000;
    private static final int MAX_KEY_LENGTH = 65_535;
    private static final int MAX_NAME_LENGTH = 64;
    private static final int MAX_RANK = 4;
    private static final int DEFAULT_ALIGNMENT = 32;

    /**
     * One tensor.
     *
     * @param shape outermost axis first, as elsewhere here; files have it last
     * @param begin its first byte in the file
     */
    record Entry(String name, GgufType type, Shape shape, long begin, long bytes) {}

    /**
     * Parses a header and compares it with the size of the file.
     *
     * @param start the file's beginning
     * @throws InvalidFileException if it is not what the format allows
     */
    static GgufHeader parse(ByteBuffer start, long fileBytes, String source) {
        GgufReader reader = new GgufReader(start, source);
        requireVersion(reader, source);
        int tensors = reader.count(MAX_TENSORS, 2 * Long.BYTES, "tensors");
        int keys = reader.count(MAX_KEYS, Long.BYTES + Integer.BYTES, "keys");
        JsonObject metadata = metadata(reader, keys);
        List<Described> described = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < tensors; i++) {
            Described tensor = describe(reader);
            if (!names.add(tensor.name())) {
                throw reader.error("each tensor once", "\"" + tensor.name() + "\" twice");
            }
            described.add(tensor);
        }
        return new GgufHeader(metadata, place(reader, described, alignment(reader, metadata), fileBytes));
    }

    private static void requireVersion(GgufReader reader, String source) {
        int magic = reader.u32("its first bytes");
        if (magic != MAGIC) {
            throw new InvalidFileException(source + ": expected a GGUF file, which begins with \"GGUF\", found "
                    + String.format("%08x", Integer.reverseBytes(magic)) + "; check that this is the right file");
        }
        int version = reader.u32("its version");
        if (version != 2 && version != 3) {
            boolean bigEndian = version == Integer.reverseBytes(2) || version == Integer.reverseBytes(3);
            throw new InvalidFileException(source + ": expected GGUF of version 2 or 3, found "
                    + (bigEndian ? "a big-endian file" : "version " + Integer.toUnsignedString(version))
                    + "; convert the model again with a current llama.cpp");
        }
    }

    private static JsonObject metadata(GgufReader reader, int keys) {
        JsonObject metadata = new JsonObject();
        for (int i = 0; i < keys; i++) {
            String key = reader.string("a key");
            if (key.isEmpty() || key.length() > MAX_KEY_LENGTH) {
                throw reader.error("keys of 1 to " + MAX_KEY_LENGTH + " characters", "one of " + key.length());
            }
            if (metadata.has(key)) {
                throw reader.error("each key once", "\"" + NearNames.shorten(key) + "\" twice");
            }
            metadata.add(key, reader.value("\"" + NearNames.shorten(key) + "\""));
        }
        return metadata;
    }

    private static int alignment(GgufReader reader, JsonObject metadata) {
        JsonElement value = metadata.get("general.alignment");
        if (value == null) {
            return DEFAULT_ALIGNMENT;
        }
        String text = value.isJsonPrimitive() ? value.getAsString() : "a list";
        if (!text.matches("\\d{1,9}") || Integer.bitCount(Integer.parseInt(text)) != 1) {
            throw reader.error("a power of two as general.alignment", text);
        }
        return Integer.parseInt(text);
    }

    private record Described(String name, GgufType type, Shape shape, long bytes, long offset) {}

    private static Described describe(GgufReader reader) {
        String name = reader.string("a tensor's name");
        if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
            throw reader.error(
                    "tensor names of 1 to " + MAX_NAME_LENGTH + " characters", "\"" + NearNames.shorten(name) + "\"");
        }
        String tensor = "tensor \"" + name + "\"";
        int rank = reader.u32(tensor);
        if (rank < 1 || rank > MAX_RANK) {
            throw reader.error("1 to " + MAX_RANK + " axes for " + tensor, Integer.toUnsignedString(rank));
        }
        int[] dims = new int[rank];
        long elements = 1;
        for (int i = 0; i < rank; i++) {
            long size = reader.u64(tensor);
            if (size < 1 || size > Integer.MAX_VALUE || elements > Long.MAX_VALUE / size) {
                throw reader.error(
                        "sizes of 1 to 2^31 - 1 whose product fits 63 bits for " + tensor, Long.toUnsignedString(size));
            }
            elements *= size;
            dims[rank - 1 - i] = (int) size;
        }
        GgufType type = type(reader, tensor);
        if (dims[rank - 1] % type.blockValues() != 0) {
            throw reader.error(
                    "rows of whole blocks of " + type.blockValues() + " values for " + tensor + " of " + type,
                    "rows of " + dims[rank - 1]);
        }
        long blocks = elements / type.blockValues();
        if (blocks > Long.MAX_VALUE / type.blockBytes()) {
            throw reader.error("sizes whose bytes fit 63 bits for " + tensor, elements + " elements");
        }
        return new Described(name, type, Shape.of(dims), blocks * type.blockBytes(), reader.u64(tensor));
    }

    private static GgufType type(GgufReader reader, String tensor) {
        int id = reader.u32(tensor);
        return GgufType.of(id)
                .orElseThrow(() -> new InvalidFileException(reader.source() + ": " + tensor + " has the type "
                        + Integer.toUnsignedString(id) + " of ggml's, which is not read; known are " + GgufType.known()
                        + "; use a file in one of these"));
    }

    /** As llama.cpp has it, tensors lie in the order of their descriptions, each at the next multiple of the alignment. */
    private static List<Entry> place(GgufReader reader, List<Described> tensors, int alignment, long fileBytes) {
        long start = aligned(reader.position(), alignment);
        long next = 0;
        long end = tensors.isEmpty() ? reader.position() : start;
        List<Entry> entries = new ArrayList<>();
        for (Described tensor : tensors) {
            if (tensor.offset() != next) {
                throw reader.error(
                        "the data of tensor \"" + tensor.name() + "\" at " + next + ", the first multiple of "
                                + alignment + " behind the tensor before",
                        "it at " + Long.toUnsignedString(tensor.offset()));
            }
            if (tensor.bytes() > fileBytes - start - next) {
                throw reader.error(
                        tensor.bytes() + " bytes of tensor \"" + tensor.name() + "\" from byte " + (start + next)
                                + " on",
                        "a file of " + fileBytes + " bytes");
            }
            entries.add(new Entry(tensor.name(), tensor.type(), tensor.shape(), start + next, tensor.bytes()));
            end = start + next + tensor.bytes();
            next = aligned(next + tensor.bytes(), alignment);
        }
        if (fileBytes != end && fileBytes != start + next) {
            throw reader.error(
                    "the end at byte " + end + ", or at the next multiple of " + alignment,
                    "a file of " + fileBytes + " bytes");
        }
        return List.copyOf(entries);
    }

    private static long aligned(long offset, int alignment) {
        return (offset + alignment - 1) / alignment * alignment;
    }
}
