package io.peftj.examples.cli;

import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Options;
import java.nio.file.Path;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which model to open, and how: the same options in all commands that compute. */
final class ModelOptions {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "The base model: a Hugging Face directory with config.json and safetensors.")
    private Path model;

    @Option(
            names = "--dtype",
            defaultValue = "float32",
            paramLabel = "TYPE",
            converter = DTypeName.class,
            description = "The number format to compute in: float32 or bfloat16 (default: ${DEFAULT-VALUE}).")
    private DType dtype;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "DEVICE",
            description = "Where to compute: cpu, or cuda:0 and the like (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description =
                    "Threads of one operation; 0 for as many as there are processors (default: ${DEFAULT-VALUE}).")
    private int threads;

    /** The model's path. */
    Path path() {
        return model;
    }

    /** The format to compute in, by its name. */
    String dtypeName() {
        return DTypeName.of(dtype);
    }

    /** Threads of one operation. */
    int threads() {
        return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    }

    /** Opens the model. */
    Backbone open(ModelOpener opener) {
        return opener.open(model, new Options(device, dtype, threads));
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
