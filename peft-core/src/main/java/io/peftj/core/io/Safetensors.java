package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.SafetensorsHeader.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * A safetensors file, checked whole when it is opened, its data mapped into memory rather than read.
 *
 * <p>The <a href="https://github.com/huggingface/safetensors">format</a>: 8 bytes little-endian header length, the
 * header in JSON, then the data. Refused are headers over 100 MB or past the end, JSON with duplicate keys, unknown
 * dtypes, sizes whose product overflows, offsets that overlap, leave holes or disagree with dtype and shape, and
 * trailing bytes.
 *
 * <p>Nobody may truncate a file while it is mapped: reading the lost pages ends the JVM or raises an InternalError.
 * Replacing it by a rename, as this library writes files, is safe.
 */
public final class Safetensors implements TensorSource {
    /** Tensors share mappings up to this size; a larger one has a mapping of its own, or several. */
    private static final long MAPPING_BYTES = 1 << 30;

    private static final int LENGTH_BYTES = 8;

    private final Map<String, String> metadata;
    private final NamedTensors tensors;

    private Safetensors(Map<String, String> metadata, NamedTensors tensors) {
        this.metadata = metadata;
        this.tensors = tensors;
    }

    /**
     * Opens and checks a file.
     *
     * @throws InvalidFileException if it is missing, cannot be read, or is not what the format allows
     */
    public static Safetensors open(Path file) {
        // The mappings outlive the channel, so no file handle is held.
        try (FileChannel channel = FileChannel.open(file)) {
            ByteRegion region = (offset, length) -> channel.map(FileChannel.MapMode.READ_ONLY, offset, length);
            return read(region, channel.size(), InputFiles.shortName(file));
        } catch (IOException e) {
            throw InputFiles.unreadable(file, e);
        }
    }

    /**
     * Reads a file that is in memory already, from the buffer's position to its limit; the bytes are not copied.
     *
     * @param description what the bytes are, for messages
     * @throws InvalidFileException if they are not what the format allows
     */
    public static Safetensors of(ByteBuffer file, String description) {
        ByteBuffer whole = file.slice().asReadOnlyBuffer();
        try {
            return read((offset, length) -> whole.slice((int) offset, (int) length), whole.remaining(), description);
        } catch (IOException e) {
            throw new InvalidFileException(description + ": a buffer in memory could not be read", e);
        }
    }

    private static Safetensors read(ByteRegion region, long fileBytes, String source) throws IOException {
        if (fileBytes < LENGTH_BYTES) {
            throw new InvalidFileException(source + ": expected a safetensors file of 8 bytes at least, found "
                    + fileBytes + "; copy or download it again");
        }
        long headerBytes =
                region.slice(0, LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (headerBytes < 0 || headerBytes > Math.min(SafetensorsHeader.MAX_BYTES, fileBytes - LENGTH_BYTES)) {
            throw notSafetensors(region, headerBytes, fileBytes, source);
        }
        byte[] json = new byte[(int) headerBytes];
        region.slice(LENGTH_BYTES, headerBytes).get(json);
        long dataStart = LENGTH_BYTES + headerBytes;
        SafetensorsHeader header = SafetensorsHeader.parse(json, fileBytes - dataStart, source);
        List<StoredTensor> tensors = map(region, dataStart, header.entries(), source);
        return new Safetensors(header.metadata(), new NamedTensors(source, tensors));
    }

    private static InvalidFileException notSafetensors(
            ByteRegion region, long headerBytes, long fileBytes, String source) throws IOException {
        byte[] start = new byte[LENGTH_BYTES];
        region.slice(0, LENGTH_BYTES).get(start);
        String remedy = new String(start, StandardCharsets.ISO_8859_1).equals("version ")
                ? "it looks like a Git LFS pointer, fetch the file itself with: git lfs pull"
                : "it is no safetensors file, or it is cut short; copy or download it again";
        return new InvalidFileException(source + ": expected a header of at most " + SafetensorsHeader.MAX_BYTES
                + " bytes that ends inside the file of " + fileBytes + " bytes, found a header length of "
                + Long.toUnsignedString(headerBytes) + "; " + remedy);
    }

    private static List<StoredTensor> map(ByteRegion region, long dataStart, List<Entry> entries, String source)
            throws IOException {
        List<StoredTensor> tensors = new ArrayList<>();
        int first = 0;
        while (first < entries.size()) {
            long begin = entries.get(first).begin();
            int next = first + 1;
            while (next < entries.size() && entries.get(next).end() - begin <= MAPPING_BYTES) {
                next++;
            }
            long end = entries.get(next - 1).end();
            List<ByteBuffer> mapped = mapParts(region, dataStart + begin, end - begin);
            for (Entry entry : entries.subList(first, next)) {
                List<ByteBuffer> parts = mapped.size() > 1
                        ? mapped
                        : List.of(mapped.get(0)
                                .slice((int) (entry.begin() - begin), (int) (entry.end() - entry.begin())));
                tensors.add(new StoredTensor(entry.name(), source, entry.type(), entry.shape(), () -> parts));
            }
            first = next;
        }
        return tensors;
    }

    /** One mapping, or several of equal size and a rest for more bytes than a buffer can hold. */
    private static List<ByteBuffer> mapParts(ByteRegion region, long offset, long length) throws IOException {
        long partBytes = length <= Integer.MAX_VALUE ? length : MAPPING_BYTES;
        List<ByteBuffer> parts = new ArrayList<>();
        long done = 0;
        do {
            long part = Math.min(partBytes, length - done);
            parts.add(region.slice(offset + done, part));
            done += part;
        } while (done < length);
        return Collections.unmodifiableList(parts);
    }

    @Override
    public String description() {
        return tensors.description();
    }

    /** The file's own strings, such as {@code format}, by key. */
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public List<String> names() {
        return tensors.names();
    }

    @Override
    public boolean contains(String name) {
        return tensors.contains(name);
    }

    @Override
    public StoredTensor find(String name) {
        return tensors.find(name);
    }

    @Override
    public void close() {
        tensors.close();
    }
}
