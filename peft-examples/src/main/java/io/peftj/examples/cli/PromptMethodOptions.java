package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.methods.pedro.PedroActivation;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.pedro.PromptPooling;
import io.peftj.methods.pedro.RationalStart;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.methods.reft.ReftVariant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The settings of methods that act by the prompt: LoReFT's family and PEDRO. */
final class PromptMethodOptions {
    static final Set<String> OF_REFT = Set.of("--rank", "--dropout", "--first", "--last", "--layers", "--untied");
    static final Set<String> OF_PEDRO =
            Set.of("--rank", "--pooling", "--activation", "--rational-start", "--rational-degrees");

    @Option(
            names = "--first",
            paramLabel = "N",
            description = "How many first tokens of a prompt LoReFT and its family edit at most; 7 if not given.")
    private @Nullable Integer first;

    @Option(
            names = "--last",
            paramLabel = "N",
            description = "How many last tokens of a prompt LoReFT and its family edit at most; 7 if not given.")
    private @Nullable Integer last;

    @Option(
            names = "--layers",
            split = ",",
            paramLabel = "L",
            description = "The layers behind which LoReFT and its family edit, from 0; all if not given.")
    private @Nullable List<Integer> layers;

    @Option(
            names = "--untied",
            description = "First and last tokens have parameters of their own in LoReFT and its family.")
    private boolean untied;

    @Option(
            names = "--pooling",
            paramLabel = "HOW",
            description = "How PEDRO reads a prompt: last, first, mean, max or attention; last if not given.")
    private @Nullable String pooling;

    @Option(
            names = "--rational-start",
            paramLabel = "NAME",
            description =
                    "What PEDRO's rational activation is like at first: gelu, relu, silu or mish; gelu if not given.")
    private @Nullable String rationalStart;

    @Option(
            names = "--rational-degrees",
            split = ",",
            paramLabel = "N",
            description = "Degrees of its numerator and denominator: 5,4 or 6,5; 5,4 if not given.")
    private @Nullable List<Integer> rationalDegrees;

    /** Adds what was given, by option. */
    void addTo(Map<String, Object> given) {
        MethodOptions.put(given, "--first", first);
        MethodOptions.put(given, "--last", last);
        MethodOptions.put(given, "--layers", layers);
        MethodOptions.put(given, "--untied", untied ? Boolean.TRUE : null);
        MethodOptions.put(given, "--pooling", pooling);
        MethodOptions.put(given, "--rational-start", rationalStart);
        MethodOptions.put(given, "--rational-degrees", rationalDegrees);
    }

    ReftConfig reft(ReftVariant variant, @Nullable Integer rank, @Nullable Double dropout) {
        ReftConfig.Builder reft = ReftConfig.builder().variant(variant).shareWeights(!untied);
        reft.positions(first == null ? 7 : first, last == null ? 7 : last);
        if (rank != null) {
            reft.rank(rank);
        }
        if (dropout != null) {
            reft.dropout(dropout);
        }
        if (layers != null) {
            reft.layers(layers);
        }
        return reft.build();
    }

    PedroConfig pedro(@Nullable Integer rank, @Nullable String activation) {
        PedroConfig.Builder pedro = PedroConfig.builder();
        if (rank != null) {
            pedro.rank(rank);
        }
        if (pooling != null) {
            pedro.pooling(PromptPooling.named(pooling)
                    .orElseThrow(() -> new InvalidConfigException(
                            "--pooling: expected last, first, mean, max or attention, found " + pooling)));
        }
        return pedro.activation(activation == null || activation.equals("rational") ? rational() : fixed(activation))
                .build();
    }

    private PedroActivation rational() {
        String start = rationalStart == null ? RationalStart.GELU.key() : rationalStart;
        List<Integer> degrees = rationalDegrees == null ? List.of(5, 4) : rationalDegrees;
        if (degrees.size() != 2) {
            throw new InvalidConfigException("--rational-degrees: expected two numbers such as 6,5, found " + degrees);
        }
        return new PedroActivation.Rational(
                degrees.get(0),
                degrees.get(1),
                RationalStart.named(start)
                        .orElseThrow(() -> new InvalidConfigException(
                                "--rational-start: expected gelu, relu, silu or mish, found " + start)));
    }

    private PedroActivation fixed(String activation) {
        if (rationalStart != null || rationalDegrees != null) {
            throw new InvalidConfigException(
                    "--rational-start and --rational-degrees are of the rational activation, found" + " --activation "
                            + activation + "; leave them out");
        }
        return PedroActivation.Fixed.named(activation)
                .orElseThrow(() -> new InvalidConfigException(
                        "--activation: expected rational, gelu, relu, silu, mish or identity, found " + activation));
    }
}
