package io.peftj.djl.train;

import io.peftj.core.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Tells data apart: the first 64 bits of SHA-256 over whatever is added, each part with its length. */
final class Digest {
    private static final int SHOWN_BYTES = 8;

    private final MessageDigest sha;

    Digest() {
        try {
            sha = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Of all that is learnt from examples: token ids and which are learnt, classes, where a pair's second row begins, numbers that dropout draws by. */
    static String of(List<Example> examples) {
        Digest digest = new Digest();
        for (Example example : examples) {
            int length = example.length();
            ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + 2 * Integer.BYTES + length * (Integer.BYTES + 1));
            bytes.putLong(example.number()).putInt(example.label()).putInt(example.anchor().length);
            for (int token = 0; token < length; token++) {
                bytes.putInt(example.id(token)).put((byte) (example.isLearnt(token) ? 1 : 0));
            }
            digest.add(bytes.flip());
        }
        return digest.hex();
    }

    /** Of parameters' names and values. */
    static String of(Map<String, HostTensor> parameters) {
        Digest digest = new Digest();
        new TreeMap<>(parameters).forEach((name, value) -> {
            ByteBuffer bytes = ByteBuffer.allocate(value.values().length * Float.BYTES);
            bytes.asFloatBuffer().put(value.values());
            digest.add(name).add(bytes);
        });
        return digest.hex();
    }

    /** Adds a text. */
    Digest add(String text) {
        return add(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Adds bytes. */
    Digest add(ByteBuffer bytes) {
        sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.remaining()).flip());
        sha.update(bytes.duplicate());
        return this;
    }

    /** Ends it; nothing may be added afterwards. */
    String hex() {
        return HexFormat.of().formatHex(sha.digest(), 0, SHOWN_BYTES);
    }
}
