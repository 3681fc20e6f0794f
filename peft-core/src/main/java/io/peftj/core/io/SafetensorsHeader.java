package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The JSON part of a safetensors file, checked against the size of the data that follows it.
 *
 * @param metadata the strings under {@code __metadata__}, sorted
 * @param entries the tensors in the order of their data, which they cover without holes or overlaps
 */
record SafetensorsHeader(Map<String, String> metadata, List<Entry> entries) {
    /** The longest header that the format's own reader takes. */
    static final long MAX_BYTES = 100_000_000;

    /** Empty tensors cost a file nothing and a reader memory, so their number is bounded, as are metadata and axes. */
    private static final int MAX_TENSORS = 250_000;

    private static final int MAX_METADATA = 10_000;
    private static final int MAX_RANK = 32;
    /** Document, tensor, list of sizes. */
    private static final int MAX_DEPTH = 3;

    /** One tensor; offsets are bytes from the start of the data. */
    record Entry(String name, StoredType type, Shape shape, long begin, long end) {}

    /**
     * Parses a header.
     *
     * @param dataBytes bytes that follow the header
     * @throws InvalidFileException if it is not what the format allows
     */
    static SafetensorsHeader parse(byte[] json, long dataBytes, String source) {
        Parsed parsed = StrictReader.readDocument(json, source, MAX_DEPTH, SafetensorsHeader::read);
        List<Entry> entries = parsed.entries();
        // The sort is stable: empty tensors stay where the header has them.
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        requireCover(entries, dataBytes, source);
        return new SafetensorsHeader(
                Collections.unmodifiableMap(parsed.metadata()), Collections.unmodifiableList(entries));
    }

    private record Parsed(TreeMap<String, String> metadata, List<Entry> entries) {}

    private static Parsed read(StrictReader reader) throws IOException {
        Parsed parsed = new Parsed(new TreeMap<>(), new ArrayList<>());
        Set<String> names = new HashSet<>();
        reader.beginObject();
        while (reader.hasNext()) {
            String name = reader.key(names);
            if (name.equals("__metadata__")) {
                readMetadata(reader, parsed.metadata());
            } else if (parsed.entries().size() == MAX_TENSORS) {
                throw reader.error("expected at most " + MAX_TENSORS
                        + " tensors, found more; no model has as many, the file is damaged or hostile");
            } else {
                parsed.entries().add(readEntry(reader, name));
            }
        }
        reader.endObject();
        return parsed;
    }

    private static void readMetadata(StrictReader reader, Map<String, String> metadata) throws IOException {
        Set<String> keys = new HashSet<>();
        reader.beginObject();
        while (reader.hasNext()) {
            if (keys.size() == MAX_METADATA) {
                throw reader.error("expected at most " + MAX_METADATA
                        + " entries in __metadata__, found more; the file is damaged or hostile");
            }
            metadata.put(reader.key(keys), reader.string());
        }
        reader.endObject();
    }

    private static Entry readEntry(StrictReader reader, String name) throws IOException {
        @Nullable StoredType type = null;
        @Nullable List<Long> sizes = null;
        @Nullable List<Long> offsets = null;
        Set<String> keys = new HashSet<>();
        reader.beginObject();
        while (reader.hasNext()) {
            String key = reader.key(keys);
            switch (key) {
                case "dtype" -> type = type(reader, name);
                case "shape" -> sizes = counts(reader, name, "shape", MAX_RANK);
                case "data_offsets" -> offsets = counts(reader, name, "data_offsets", 2);
                default ->
                    throw reader.error("tensor \"" + name + "\": expected dtype, shape and data_offsets, found \"" + key
                            + "\"; the file was written by something this reader does not understand");
            }
        }
        reader.endObject();
        if (type == null || sizes == null || offsets == null || offsets.size() != 2) {
            throw reader.error("tensor \"" + name
                    + "\": expected dtype, shape and two data_offsets, found less; the file is damaged");
        }
        return entry(reader, name, type, sizes, offsets.get(0), offsets.get(1));
    }

    private static StoredType type(StrictReader reader, String name) throws IOException {
        String type = reader.string();
        for (StoredType known : StoredType.values()) {
            if (known.name().equals(type)) {
                return known;
            }
        }
        throw reader.error("tensor \"" + name + "\": expected a dtype of " + StoredType.known() + ", found \"" + type
                + "\"; save the model unquantised in one of these");
    }

    private static List<Long> counts(StrictReader reader, String name, String key, int most) throws IOException {
        List<Long> counts = new ArrayList<>();
        reader.beginArray();
        while (reader.hasNext()) {
            if (counts.size() == most) {
                throw reader.error("tensor \"" + name + "\": expected at most " + most + " numbers in " + key
                        + ", found more; the file is damaged");
            }
            counts.add(reader.count());
        }
        reader.endArray();
        return counts;
    }

    private static Entry entry(
            StrictReader reader, String name, StoredType type, List<Long> sizes, long begin, long end) {
        int[] dims = new int[sizes.size()];
        long bytes = type.bytes();
        try {
            for (int i = 0; i < dims.length; i++) {
                dims[i] = Math.toIntExact(sizes.get(i));
                bytes = Math.multiplyExact(bytes, sizes.get(i));
            }
        } catch (ArithmeticException e) {
            throw reader.error("tensor \"" + name + "\": expected sizes below 2^31 whose product fits 63 bits, found "
                    + type + " " + sizes + "; the file is damaged");
        }
        if (end < begin || end - begin != bytes) {
            throw reader.error("tensor \"" + name + "\": expected " + bytes + " bytes for " + type + " " + sizes
                    + ", found data_offsets [" + begin + ", " + end + "]; the file is damaged");
        }
        return new Entry(name, type, Shape.of(dims), begin, end);
    }

    private static void requireCover(List<Entry> entries, long dataBytes, String source) {
        long covered = 0;
        for (Entry entry : entries) {
            if (entry.begin() != covered) {
                throw new InvalidFileException(source + ": tensor \"" + NearNames.shorten(entry.name())
                        + "\": expected its data at " + covered + ", where the tensor before it ends, found it at "
                        + entry.begin() + (entry.begin() < covered ? " (an overlap)" : " (a hole)")
                        + "; the file is damaged or hostile");
            }
            covered = entry.end();
        }
        if (covered != dataBytes) {
            throw new InvalidFileException(source + ": expected " + covered
                    + " bytes of data after the header, as its tensors add up to, found " + dataBytes
                    + (covered > dataBytes ? " (the file is cut short)" : " (trailing bytes)")
                    + "; copy or download it again");
        }
    }
}
