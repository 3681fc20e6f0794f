package io.peftj.core.io.gguf;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ByteRegion;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.InputFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">GGUF file</a>, checked whole when it is opened, its data mapped into memory
 * rather than read.
 *
 * <p>Refused are other versions than 2 and 3, lengths and counts past the end, keys or tensors that stand twice, strings that are not UTF-8, types that
 * are not read, sizes whose product overflows or that are no whole blocks, data that lies elsewhere than llama.cpp wants it (which excludes overlaps,
 * holes and misalignment), and trailing bytes. As with safetensors, nobody may truncate a file while it is mapped.
 *
 * @param description the file's name, for messages
 * @param metadata its values by key
 * @param tensors its tensors by name, in the order of their data
 */
record GgufFile(String description, ConfigReader metadata, Map<String, Tensor> tensors) {
    /** The longest header that is read: ten times that of a vocabulary of 256,000 tokens. */
    private static final int MAX_HEADER_BYTES = 100_000_000;

    /** The largest array that every JVM grants. */
    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

    private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);

    /**
     * A tensor.
     *
     * @param entry its type, shape and place
     * @param bytes its blocks, little-endian
     */
    record Tensor(GgufHeader.Entry entry, ByteBuffer bytes) {}

    /** Whether a file begins as GGUF files do. */
    static boolean isOne(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(MAGIC.length), MAGIC);
        } catch (IOException e) {
            throw InputFiles.unreadable(file, e);
        }
    }

    /**
     * Opens and checks a file.
     *
     * @throws InvalidFileException if it is missing, cannot be read, or is not what the format allows
     */
    static GgufFile open(Path file) {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteRegion region = (offset, length) -> channel.map(FileChannel.MapMode.READ_ONLY, offset, length);
            return read(region, channel.size(), InputFiles.shortName(file));
        } catch (IOException e) {
            throw InputFiles.unreadable(file, e);
        }
    }

    /** Reads a file that is in memory already; the bytes are not copied. */
    static GgufFile of(ByteBuffer file, String description) {
        ByteBuffer whole = file.slice().asReadOnlyBuffer();
        try {
            return read((offset, length) -> whole.slice((int) offset, (int) length), whole.remaining(), description);
        } catch (IOException e) {
            throw new InvalidFileException(description + ": a buffer in memory could not be read", e);
        }
    }

    private static GgufFile read(ByteRegion region, long fileBytes, String source) throws IOException {
        ByteBuffer start = region.slice(0, Math.min(fileBytes, MAX_HEADER_BYTES));
        GgufHeader header = GgufHeader.parse(start, fileBytes, source);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (GgufHeader.Entry entry : header.entries()) {
            long bytes = entry.type().bytesOf(entry.shape().size());
            if (bytes > MAX_BYTES) {
                throw new InvalidFileException(source + ": tensor \"" + entry.name() + "\" has "
                        + entry.shape().size() + " elements, which take " + bytes
                        + " bytes, more than an array can hold (" + MAX_BYTES + "); use a smaller model");
            }
            ByteBuffer blocks = region.slice(entry.begin(), entry.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            tensors.put(entry.name(), new Tensor(entry, blocks));
        }
        return new GgufFile(source, ConfigReader.of(header.metadata(), source), tensors);
    }
}
