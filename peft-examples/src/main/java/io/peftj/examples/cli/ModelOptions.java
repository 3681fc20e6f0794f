package io.peftj.examples.cli;

import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Options;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which model to open, and how: the same options in all commands that compute. */
final class ModelOptions {
    private static final int MEASURED_THREADS = 2;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description =
                    "The base model: a Hugging Face directory with config.json and safetensors, a GGUF file, or a jar with an"
                            + " ONNX encoder as langchain4j publishes them.")
    private Path model;

    @Option(
            names = "--dtype",
            defaultValue = "float32",
            paramLabel = "TYPE",
            converter = DTypeName.class,
            completionCandidates = DTypeNames.class,
            description = "The number format to compute in: float32 or bfloat16 (default: ${DEFAULT-VALUE}).")
    private DType dtype;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "DEVICE",
            converter = DeviceName.class,
            description = "Where to compute: cpu, or cuda:0 and the like (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Threads of one operation; all processors, or 2 where something is measured, if not given.")
    private @Nullable Integer threads;

    @Option(
            names = "--packed-weights",
            description =
                    "Keep frozen matrices a second time, packed for few tokens at once: generates faster on the processor,"
                            + " and takes as much memory again as the model.")
    private boolean packedWeights;

    /** The model's path. */
    Path path() {
        return model;
    }

    /** The format to compute in, by its name. */
    String dtypeName() {
        return DTypeName.of(dtype);
    }

    /** Opens the model. */
    Backbone open(ModelOpener opener) {
        return open(opener, 0);
    }

    /** Opens the model for a measurement, with as many threads as the other side uses. */
    Backbone openToMeasure(ModelOpener opener) {
        return open(opener, MEASURED_THREADS);
    }

    /** Threads of one operation in a measurement. */
    int measuredThreads() {
        return threads == null ? MEASURED_THREADS : threads;
    }

    private Backbone open(ModelOpener opener, int usualThreads) {
        Backbone base =
                opener.open(model, new Options(device, dtype, threads == null ? usualThreads : threads, packedWeights));
        // The file's mapping goes with the last buffer into it, which no one else would look for before long.
        System.gc();
        return base;
    }

    /** What {@link Options} takes, checked before anything is opened. */
    private static final class DeviceName implements ITypeConverter<String> {
        @Override
        public String convert(String name) {
            if (!name.matches("cpu|cuda:\\d{1,3}")) {
                throw new TypeConversionException("expected cpu or cuda:N, found " + name);
            }
            return name;
        }
    }

    /** The formats' names, for completion. */
    private static final class DTypeNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Stream.of(DType.F32, DType.BF16).map(DTypeName::of).iterator();
        }
    }

    /** PyTorch's names of the formats. */
    private static final class DTypeName implements ITypeConverter<DType> {
        @Override
        public DType convert(String name) {
            return Stream.of(DType.F32, DType.BF16)
                    .filter(dtype -> of(dtype).equals(name))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("expected float32 or bfloat16, found " + name));
        }

        static String of(DType dtype) {
            return switch (dtype) {
                case F32 -> "float32";
                case BF16 -> "bfloat16";
                case F64 -> "float64";
            };
        }
    }
}
