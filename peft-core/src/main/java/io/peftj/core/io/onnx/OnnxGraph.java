package io.peftj.core.io.onnx;

import io.peftj.core.InvalidFileException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What an ONNX graph says about its weights.
 *
 * @param initializers the named constants
 * @param products the MatMul nodes
 * @param shapes what attention reshapes to: the inputs of Concat nodes inside attention modules
 * @param constants one-element integer constants of the graph by the name of their output
 */
record OnnxGraph(
        List<Initializer> initializers, List<MatMul> products, List<List<String>> shapes, Map<String, Long> constants) {
    /** Field numbers of onnx.proto. */
    private static final int MODEL_GRAPH = 7;

    private static final int GRAPH_NODE = 1;
    private static final int GRAPH_INITIALIZER = 5;
    private static final int GRAPH_SPARSE_INITIALIZER = 15;
    private static final int NODE_INPUT = 1;
    private static final int NODE_OUTPUT = 2;
    private static final int NODE_NAME = 3;
    private static final int NODE_OP_TYPE = 4;
    private static final int NODE_ATTRIBUTE = 5;
    private static final int ATTRIBUTE_TENSOR = 5;

    private static final String ATTENTION = "/attention/self/";

    /** Far more than any model has: entries of a few bytes must not become millions of objects. */
    private static final int MAX_ENTRIES = 250_000;

    /**
     * A matrix product.
     *
     * @param name the node's name, a path of modules
     * @param right the name of the right factor
     */
    record MatMul(String name, String right) {
        /** The Hugging Face name of the weight that this node multiplies by. */
        String weightName(String source) {
            String path = name.startsWith("/") ? name.substring(1) : name;
            int end = path.lastIndexOf('/');
            if (end <= 0) {
                throw new InvalidFileException(source + ": expected the MatMul node of weight \"" + right
                        + "\" to be named by its module's path, found \"" + name
                        + "\"; export the model with a PyTorch from 1.13 on, or use its safetensors files");
            }
            return path.substring(0, end).replace('/', '.') + ".weight";
        }
    }

    /**
     * The number of attention heads: exporters write [rows, length, heads, head dim] where a head's states are cut out, the last two as constants.
     *
     * @param width the model's width, which is heads × head dim
     * @return empty if the graph does not say it so
     */
    OptionalInt attentionHeads(int width) {
        for (List<String> shape : shapes) {
            Long heads = shape.size() == 4 ? constants.get(shape.get(2)) : null;
            Long headDim = shape.size() == 4 ? constants.get(shape.get(3)) : null;
            if (heads != null && headDim != null && heads > 0 && heads <= width && heads * headDim == width) {
                return OptionalInt.of(Math.toIntExact(heads));
            }
        }
        return OptionalInt.empty();
    }

    /**
     * Parses a model.
     *
     * @throws InvalidFileException if the bytes are no ONNX model, or one of a kind that is not read
     */
    static OnnxGraph parse(ByteBuffer bytes, String source) {
        ProtobufReader model = new ProtobufReader(bytes, source);
        @Nullable OnnxGraph graph = null;
        while (model.next()) {
            if (model.field() != MODEL_GRAPH) {
                model.skip();
            } else if (graph == null) {
                graph = graph(model.message(), source);
            } else {
                throw new InvalidFileException(
                        source + ": expected an ONNX model with one graph, found two; export the model again");
            }
        }
        if (graph == null) {
            throw new InvalidFileException(
                    source + ": expected an ONNX model with a graph, found none; check that this is an ONNX file");
        }
        return graph;
    }

    private static OnnxGraph graph(ProtobufReader graph, String source) {
        OnnxGraph found = new OnnxGraph(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new HashMap<>());
        int entries = 0;
        while (graph.next()) {
            switch (graph.field()) {
                case GRAPH_NODE -> found.addNode(graph.message());
                case GRAPH_INITIALIZER -> found.initializers.add(Initializer.parse(graph.message(), source));
                case GRAPH_SPARSE_INITIALIZER ->
                    throw new InvalidFileException(
                            source
                                    + ": expected dense weights, found a sparse initializer; use the model's safetensors files");
                default -> graph.skip();
            }
            if (entries++ > MAX_ENTRIES) {
                throw new InvalidFileException(source + ": expected at most " + MAX_ENTRIES
                        + " nodes and initializers, found more; the file is damaged or hostile");
            }
        }
        return found;
    }

    private void addNode(ProtobufReader node) {
        String name = "";
        String operation = "";
        String output = "";
        List<String> inputs = new ArrayList<>();
        @Nullable Long constant = null;
        while (node.next()) {
            switch (node.field()) {
                case NODE_INPUT -> inputs.add(node.string());
                case NODE_OUTPUT -> output = node.string();
                case NODE_NAME -> name = node.string();
                case NODE_OP_TYPE -> operation = node.string();
                case NODE_ATTRIBUTE -> constant = constant(node.message());
                default -> node.skip();
            }
        }
        if (operation.equals("MatMul") && inputs.size() == 2) {
            products.add(new MatMul(name, inputs.get(1)));
        } else if (operation.equals("Concat") && name.contains(ATTENTION)) {
            shapes.add(List.copyOf(inputs));
        } else if (operation.equals("Constant") && constant != null) {
            constants.put(output, constant);
        }
    }

    /** The value of an attribute that is a tensor of one integer; null for any other. */
    private static @Nullable Long constant(ProtobufReader attribute) {
        @Nullable Long value = null;
        while (attribute.next()) {
            if (attribute.field() == ATTRIBUTE_TENSOR) {
                value = Initializer.onlyInteger(attribute.message());
            } else {
                attribute.skip();
            }
        }
        return value;
    }
}
