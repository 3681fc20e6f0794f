package io.peftj.core.io.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files as torch.save writes them, made byte by byte. */
final class TorchBytes {
    /** A pickle that calls os.system. */
    static final byte[] HARMFUL = pickle().global("os system")
            .text("touch /tmp/harmed")
            .op(0x85)
            .op('R')
            .op('.')
            .bytes();

    private final ByteArrayOutputStream program = new ByteArrayOutputStream();

    private TorchBytes() {}

    /** Begins a pickle of protocol 2. */
    static TorchBytes pickle() {
        return new TorchBytes().op(0x80).op(2);
    }

    /** Begins one of a dictionary. */
    static TorchBytes dictionary() {
        return pickle().global("collections OrderedDict").op(')').op('R').op('(');
    }

    TorchBytes op(int code) {
        program.write(code);
        return this;
    }

    TorchBytes global(String name) {
        op('c');
        program.writeBytes((name.replace(' ', '\n') + "\n").getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    TorchBytes text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        op('X');
        program.writeBytes(littleEndian(bytes.length));
        program.writeBytes(bytes);
        return this;
    }

    TorchBytes number(int number) {
        op('J');
        program.writeBytes(littleEndian(number));
        return this;
    }

    TorchBytes numbers(int... numbers) {
        op('(');
        for (int number : numbers) {
            number(number);
        }
        return op('t');
    }

    /** A name and a tensor of a storage. */
    TorchBytes tensor(
            String name, String storageType, String key, int elements, int offset, int[] sizes, int[] strides) {
        text(name).global("torch._utils _rebuild_tensor_v2").op('(');
        op('(').text("storage")
                .global("torch " + storageType)
                .text(key)
                .text("cpu")
                .number(elements)
                .op('t')
                .op('Q');
        number(offset).numbers(sizes).numbers(strides).op(0x89);
        return global("collections OrderedDict").op(')').op('R').op('t').op('R');
    }

    /** Ends a dictionary and the pickle. */
    byte[] end() {
        return op('u').op('.').bytes();
    }

    byte[] bytes() {
        return program.toByteArray();
    }

    /** Singles as a storage has them. */
    static byte[] floats(float... values) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (float value : values) {
            bytes.writeBytes(littleEndian(Float.floatToRawIntBits(value)));
        }
        return bytes.toByteArray();
    }

    /** A zip of a pickle and storages under their keys. */
    static byte[] file(byte[] pickle, Map<String, byte[]> storages) {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("data.pkl", pickle);
        entries.put("byteorder", "little".getBytes(StandardCharsets.US_ASCII));
        storages.forEach((key, bytes) -> entries.put("data/" + key, bytes));
        return zip(entries);
    }

    static byte[] zip(Map<String, byte[]> entries) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry("archive/" + entry.getKey()));
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] littleEndian(int number) {
        return new byte[] {(byte) number, (byte) (number >> 8), (byte) (number >> 16), (byte) (number >> 24)};
    }
}
