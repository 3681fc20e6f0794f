package io.peftj.core.io.onnx;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.NamedTensors;
import io.peftj.core.io.StoredTensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The weights of an <a href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">ONNX file</a> that PyTorch's
 * exporter wrote, under the names they have in Hugging Face's model.
 *
 * <p>The exporter keeps the names of most parameters, but transposes the weights of linear layers and names them
 * {@code onnx::MatMul_885}. Whose they are says the path of the MatMul node that multiplies by them:
 * {@code /encoder/layer.0/attention/self/query/MatMul} for {@code encoder.layer.0.attention.self.query.weight}. They are
 * handed out as [out, in] again.
 *
 * <p>Only single precision is read. Refused by name are quantised and half-precision weights, sparse ones, and those
 * kept in another file. Integers and booleans are buffers of the graph, such as position ids, and left out.
 */
public final class OnnxFile {
    private static final String ANONYMOUS = "onnx::";
    /** protobuf's own limit for a message. */
    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

    private OnnxFile() {}

    /**
     * Opens a file and maps it into memory; as with safetensors, nobody may truncate it while it is in use.
     *
     * @throws InvalidFileException if it is missing, damaged, or of a kind that is not read
     */
    public static OnnxModel open(Path file) {
        String source = String.valueOf(file.getFileName());
        try (FileChannel channel = FileChannel.open(file)) {
            if (channel.size() > MAX_BYTES) {
                throw tooLarge(source);
            }
            return read(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()), source);
        } catch (IOException e) {
            throw unreadable(file.toString(), e);
        }
    }

    /**
     * Reads a stream to its end, such as that of an entry of a jar; the weights then lie in Java's memory.
     *
     * @param source where the stream comes from, for messages
     * @throws InvalidFileException if it cannot be read, is damaged, or is of a kind that is not read
     */
    public static OnnxModel read(InputStream in, String source) {
        try {
            byte[] bytes = in.readNBytes(MAX_BYTES);
            if (in.read() >= 0) {
                throw tooLarge(source);
            }
            return read(ByteBuffer.wrap(bytes), source);
        } catch (IOException e) {
            throw unreadable(source, e);
        }
    }

    /** Reads a file that is in memory already; the bytes are not copied. */
    static OnnxModel read(ByteBuffer model, String source) {
        OnnxGraph graph = OnnxGraph.parse(model, source);
        Map<String, Initializer> anonymous = new HashMap<>();
        List<StoredTensor> tensors = new ArrayList<>();
        for (Initializer initializer : graph.initializers()) {
            initializer.requireReadable(source);
            if (!initializer.isFloat()) {
                continue;
            }
            if (!initializer.name().startsWith(ANONYMOUS)) {
                tensors.add(initializer.tensor(source));
            } else if (anonymous.put(initializer.name(), initializer) != null) {
                throw new InvalidFileException(source + ": expected each initializer once, found \""
                        + initializer.name() + "\" twice; export the model again");
            }
        }
        for (OnnxGraph.MatMul product : graph.products()) {
            @Nullable Initializer weight = anonymous.get(product.right());
            if (weight != null) {
                tensors.add(weight.transposed(product.weightName(source), source));
            }
        }
        return new OnnxModel(new NamedTensors(source, tensors), graph::attentionHeads);
    }

    private static InvalidFileException tooLarge(String source) {
        return new InvalidFileException(source + ": expected an ONNX file of at most " + MAX_BYTES
                + " bytes, as protobuf allows, found more; use the model's safetensors files");
    }

    private static InvalidFileException unreadable(String source, IOException e) {
        return new InvalidFileException(
                source + " could not be read, expected an ONNX file: " + e + "; check the path and its permissions", e);
    }
}
