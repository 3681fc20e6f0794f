package io.peftj.core.io.torch;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.InputFiles;
import io.peftj.core.io.NamedTensors;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.io.torch.StateDictPickle.Storage;
import io.peftj.core.io.torch.StateDictPickle.View;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * A file that {@code torch.save(module.state_dict(), file)} wrote: a zip of a pickle, which names the tensors and says how they lie in their storages,
 * and of the storages' bytes.
 *
 * <p>A pickle is a program, and Python runs whatever it says. Here it is read by a machine that knows dictionaries, numbers and tensors: one that asks
 * for anything else is refused, and nothing is ever run.
 */
public final class StateDictFile {
    private static final int LARGEST_PICKLE = 16 << 20;
    private static final String PICKLE = "/data.pkl";
    private static final byte[] ZIP = {'P', 'K', 3, 4};

    private final ZipFile zip;
    private final String source;
    private final String root;

    private StateDictFile(ZipFile zip, String source, String root) {
        this.zip = zip;
        this.source = source;
        this.root = root;
    }

    /**
     * Reads all tensors into memory.
     *
     * @throws InvalidFileException if the file is missing or damaged, is of PyTorch before 1.6, or holds anything but tensors by name
     */
    public static TensorSource read(Path file) {
        String source = InputFiles.shortName(file);
        requireZip(file, source);
        try (ZipFile zip = new ZipFile(file.toFile())) {
            String pickle = zip.stream()
                    .map(ZipEntry::getName)
                    .filter(name -> name.endsWith(PICKLE))
                    .findFirst()
                    .orElseThrow(() -> new InvalidFileException(
                            source + ": expected a zip with a data.pkl as torch.save writes it, found one without;"
                                    + " check that this is the right file"));
            String root = pickle.substring(0, pickle.length() - PICKLE.length() + 1);
            return new StateDictFile(zip, source, root).tensors();
        } catch (IOException | IllegalArgumentException e) { // of names that are no text
            throw new InvalidFileException(
                    source + ": expected a zip as torch.save writes it, found a damaged one (" + e.getMessage()
                            + "); copy or save it again",
                    e);
        }
    }

    private static void requireZip(Path file, String source) {
        byte[] start;
        try (InputStream in = Files.newInputStream(file)) {
            start = in.readNBytes(ZIP.length);
        } catch (IOException e) {
            throw InputFiles.unreadable(file, e);
        }
        if (!Arrays.equals(start, ZIP)) {
            throw new InvalidFileException(source + ": expected a zip as torch.save writes it since PyTorch 1.6, found"
                    + " something else; load and save it again with a newer PyTorch");
        }
    }

    private TensorSource tensors() throws IOException {
        byte @Nullable [] order = bytes("byteorder", 16);
        if (order != null && !new String(order, StandardCharsets.UTF_8).equals("little")) {
            throw new InvalidFileException(
                    source + ": expected little-endian numbers, found others; save it again on a" + " usual machine");
        }
        byte[] pickle = required("data.pkl", LARGEST_PICKLE);
        List<StoredTensor> tensors = new ArrayList<>();
        for (Map.Entry<String, View> entry :
                new StateDictPickle(pickle, source).read().entrySet()) {
            tensors.add(tensor(entry.getKey(), entry.getValue()));
        }
        return new NamedTensors(source, tensors);
    }

    private StoredTensor tensor(String name, View view) throws IOException {
        Storage storage = view.storage();
        long size = storage.elements() * storage.type().bytes();
        if (size > Integer.MAX_VALUE - 8) {
            throw new InvalidFileException(source + ": tensor \"" + name + "\" lies in a storage of " + size
                    + " bytes, expected less than 2 GiB;" + " convert it to safetensors with Python");
        }
        byte[] bytes = required("data/" + storage.key(), (int) size);
        if (bytes.length != size) {
            throw new InvalidFileException(source + ": expected " + size + " bytes of the storage of \"" + name
                    + "\", found " + bytes.length + "; copy or save it again");
        }
        ByteBuffer elements = ByteBuffer.wrap(view.rowMajor(bytes)).asReadOnlyBuffer();
        return StoredTensor.of(name, source, storage.type(), view.shape(), () -> elements);
    }

    private byte[] required(String entry, int most) throws IOException {
        byte @Nullable [] bytes = bytes(entry, most);
        if (bytes == null) {
            throw new InvalidFileException(
                    source + ": expected an entry " + entry + ", found none; copy or save it again");
        }
        return bytes;
    }

    private byte @Nullable [] bytes(String entry, int most) throws IOException {
        ZipEntry found = zip.getEntry(root + entry);
        if (found == null) {
            return null;
        }
        try (InputStream in = zip.getInputStream(found)) {
            byte[] bytes = in.readNBytes(most);
            if (in.read() >= 0) {
                throw new InvalidFileException(source + ": expected at most " + most + " bytes in the entry " + entry
                        + ", found more; copy or save it again");
            }
            return bytes;
        }
    }
}
