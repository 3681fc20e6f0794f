package io.peftj.djl.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive: a zip, nothing in it compressed, of one class without state whose methods are given as text.
 *
 * <p>The format is that of torch::jit::save, version 10; the pickles are the few fixed bytes that say "an object of this class, not training" and
 * "no constants".
 */
final class Archive {
    static final String CLASS = "Kernels";

    private static final String HEAD = """
            class %s(Module):
              __parameters__ = []
              __buffers__ = []
              training : bool
            """.formatted(CLASS);

    private Archive() {}

    /**
     * Writes the archive.
     *
     * @param methods the methods' text, its first column being the class body's
     */
    static void write(String methods, OutputStream out) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.setMethod(ZipOutputStream.STORED);
            put(zip, "kernels/data.pkl", state());
            put(zip, "kernels/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            put(zip, "kernels/version", ascii("10\n"));
            put(zip, "kernels/byteorder", ascii("little"));
            put(zip, "kernels/code/__torch__.py", (HEAD + methods.indent(2)).getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Protocol 2; the class by name; made without arguments; its state is {"training": False}. */
    private static byte[] state() {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2, 'c'});
        pickle.writeBytes(ascii("__torch__\n" + CLASS + "\n"));
        pickle.writeBytes(new byte[] {')', (byte) 0x81, '}', '(', 'X', 8, 0, 0, 0});
        pickle.writeBytes(ascii("training"));
        pickle.writeBytes(new byte[] {(byte) 0x89, 'u', 'b', '.'});
        return pickle.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Entries that are not compressed need their size and checksum first. */
    private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        ZipEntry entry = new ZipEntry(name);
        entry.setSize(bytes.length);
        entry.setCompressedSize(bytes.length);
        entry.setCrc(checksum.getValue());
        zip.putNextEntry(entry);
        zip.write(bytes);
        zip.closeEntry();
    }
}
