package io.peftj.core.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Safetensors files made by hand, wrong ones too. */
final class SafetensorsBytes {
    private SafetensorsBytes() {}

    /** A header as it stands and that many zero bytes of data. */
    static ByteBuffer file(String header, int dataBytes) {
        return file(header, new byte[dataBytes]);
    }

    static ByteBuffer file(String header, byte[] data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data)
                .flip();
    }

    /** The entry of one tensor in a header, quoted with single quotes as {@link #json} takes them. */
    static String entry(String name, String type, String shape, long begin, long end) {
        return json("'%s':{'dtype':'%s','shape':%s,'data_offsets':[%d,%d]}".formatted(name, type, shape, begin, end));
    }

    /** JSON that is readable in Java: single quotes stand for double ones. */
    static String json(String singleQuoted) {
        return singleQuoted.replace('\'', '"');
    }
}
