package io.peftj.core.io.onnx;

import io.peftj.core.InvalidFileException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an ONNX graph says about its weights.
 *
 * @param initializers the named constants
 * @param products the MatMul nodes
 */
record OnnxGraph(List<Initializer> initializers, List<MatMul> products) {
    /** Field numbers of onnx.proto. */
    private static final int MODEL_GRAPH = 7;

    private static final int GRAPH_NODE = 1;
    private static final int GRAPH_INITIALIZER = 5;
    private static final int GRAPH_SPARSE_INITIALIZER = 15;
    private static final int NODE_INPUT = 1;
    private static final int NODE_NAME = 3;
    private static final int NODE_OP_TYPE = 4;

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
        List<Initializer> initializers = new ArrayList<>();
        List<MatMul> products = new ArrayList<>();
        while (graph.next()) {
            switch (graph.field()) {
                case GRAPH_NODE -> addProduct(graph.message(), products);
                case GRAPH_INITIALIZER -> initializers.add(Initializer.parse(graph.message(), source));
                case GRAPH_SPARSE_INITIALIZER ->
                    throw new InvalidFileException(
                            source
                                    + ": expected dense weights, found a sparse initializer; use the model's safetensors files");
                default -> graph.skip();
            }
            if (initializers.size() + products.size() > MAX_ENTRIES) {
                throw new InvalidFileException(source + ": expected at most " + MAX_ENTRIES
                        + " initializers and products, found more; the file is damaged or hostile");
            }
        }
        return new OnnxGraph(initializers, products);
    }

    private static void addProduct(ProtobufReader node, List<MatMul> products) {
        String name = "";
        String operation = "";
        String right = "";
        int inputs = 0;
        while (node.next()) {
            switch (node.field()) {
                case NODE_INPUT -> {
                    String input = node.string();
                    if (inputs++ == 1) {
                        right = input;
                    }
                }
                case NODE_NAME -> name = node.string();
                case NODE_OP_TYPE -> operation = node.string();
                default -> node.skip();
            }
        }
        if (operation.equals("MatMul") && inputs == 2) {
            products.add(new MatMul(name, right));
        }
    }
}
