package io.peftj.core.io;

import com.google.gson.stream.JsonWriter;
import io.peftj.core.tensor.HostTensor;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes safetensors files byte for byte as the format's own library does: wide types first, then by name, the
 * header padded with spaces to a multiple of 8 bytes so that every tensor is aligned.
 */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8;
    /** What goes to the channel at once, which copies it outside the heap. */
    private static final int CHUNK_BYTES = 1 << 20;

    private SafetensorsWriter() {}

    /**
     * Writes single-precision tensors, replacing the file as a whole.
     *
     * @param metadata strings for the file's {@code __metadata__}; PEFT writes {@code format: pt}
     * @throws io.peftj.core.PeftException if the file could not be written
     */
    public static void write(Path file, Map<String, HostTensor> tensors, Map<String, String> metadata) {
        write(file, f32(tensors), metadata);
    }

    /**
     * Writes tensors of any type, replacing the file as a whole.
     *
     * @throws IllegalArgumentException if two tensors have one name
     * @throws io.peftj.core.PeftException if the file could not be written
     */
    public static void write(Path file, Collection<StoredTensor> tensors, Map<String, String> metadata) {
        AtomicFiles.write(file, content(tensors, metadata));
    }

    /** The file's content, for writing it together with others. */
    public static AtomicFiles.Content content(Collection<StoredTensor> tensors, Map<String, String> metadata) {
        List<StoredTensor> sorted = tensors.stream()
                .sorted(Comparator.comparing(StoredTensor::type).thenComparing(StoredTensor::name))
                .toList();
        ByteBuffer header = header(sorted, metadata);
        return out -> {
            writeAll(header.duplicate(), out);
            for (StoredTensor tensor : sorted) {
                for (ByteBuffer part : tensor.parts()) {
                    writeAll(part, out);
                }
            }
        };
    }

    static List<StoredTensor> f32(Map<String, HostTensor> tensors) {
        return tensors.entrySet().stream()
                .map(entry -> StoredTensor.f32(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static ByteBuffer header(List<StoredTensor> tensors, Map<String, String> metadata) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.setHtmlSafe(false);
            json.beginObject();
            if (!metadata.isEmpty()) {
                json.name("__metadata__").beginObject();
                for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
                    json.name(entry.getKey()).value(entry.getValue());
                }
                json.endObject();
            }
            Set<String> names = new HashSet<>(Set.of("__metadata__"));
            long offset = 0;
            for (StoredTensor tensor : tensors) {
                if (!names.add(tensor.name())) {
                    throw new IllegalArgumentException(
                            "expected tensors of different names, none called __metadata__, found \"" + tensor.name()
                                    + "\" again");
                }
                json.name(tensor.name()).beginObject();
                json.name("dtype").value(tensor.type().name());
                json.name("shape").beginArray();
                for (int dim : tensor.shape().dims()) {
                    json.value(dim);
                }
                json.endArray();
                json.name("data_offsets").beginArray().value(offset);
                offset += tensor.byteSize();
                json.value(offset).endArray();
                json.endObject();
            }
            json.endObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a StringWriter does not fail", e);
        }
        return padded(text.toString());
    }

    private static ByteBuffer padded(String json) {
        ByteBuffer utf8;
        try {
            utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(json));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    "expected names and metadata that UTF-8 can express, found half a surrogate pair", e);
        }
        int length = (utf8.remaining() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (length > SafetensorsHeader.MAX_BYTES) {
            throw new IllegalArgumentException("expected a header of at most " + SafetensorsHeader.MAX_BYTES
                    + " bytes, found " + length + "; write less metadata");
        }
        ByteBuffer header = ByteBuffer.allocate(Long.BYTES + length).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(length).put(utf8);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }

    private static void writeAll(ByteBuffer bytes, WritableByteChannel out) throws IOException {
        int end = bytes.limit();
        while (bytes.position() < end) {
            bytes.limit((int) Math.min(end, (long) bytes.position() + CHUNK_BYTES));
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        }
    }
}
