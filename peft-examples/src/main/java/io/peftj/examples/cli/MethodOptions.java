package io.peftj.examples.cli;

import static java.util.Map.entry;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.site.Targets;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.methods.bottleneck.ActivationNames;
import io.peftj.methods.bottleneck.BottleneckConfig;
import io.peftj.methods.bottleneck.Placement;
import io.peftj.methods.full.FullConfig;
import io.peftj.methods.head.HeadConfig;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.lora.LoraInit;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prefix.PrefixInit;
import io.peftj.methods.prompt.PromptConfig;
import io.peftj.methods.prompt.PromptInit;
import io.peftj.methods.ptuning.PTuningConfig;
import io.peftj.methods.reft.ReftVariant;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which method to train with, and its main settings; all else stays as the method has it. */
final class MethodOptions {
    static final String NAMES =
            "lora, lora-all, dora, ia3, prefix, prompt, p-tuning, loreft (or reft), direft, noreft, consreft, lobireft, pedro, bottleneck, bitfit, full, head";

    /** A method's settings of these options, and the options it takes. */
    private record Choice(Set<String> takes, Function<MethodOptions, AdapterConfig> config) {}

    private static final Map<String, Choice> METHODS = Map.ofEntries(
            entry(
                    "lora",
                    new Choice(
                            Set.of("--rank", "--alpha", "--dropout", "--init", "--targets"),
                            options -> options.lora(options.targets()))),
            entry(
                    "dora",
                    new Choice(
                            Set.of("--rank", "--alpha", "--dropout", "--init", "--targets"),
                            options -> options.lora(options.targets()).toBuilder()
                                    .dora(true)
                                    .build())),
            entry(
                    "lora-all",
                    new Choice(
                            Set.of("--rank", "--alpha", "--dropout", "--init"),
                            options -> options.lora(new Targets.AllLinear()))),
            entry("ia3", new Choice(Set.of(), options -> Ia3Config.builder().build())),
            entry("prefix", new Choice(Set.of("--tokens", "--init-text"), MethodOptions::prefix)),
            entry("prompt", new Choice(Set.of("--tokens", "--init", "--init-text"), MethodOptions::prompt)),
            entry("p-tuning", new Choice(Set.of("--tokens"), MethodOptions::pTuning)),
            entry("loreft", reft(ReftVariant.LOREFT)),
            entry("reft", reft(ReftVariant.LOREFT)),
            entry("direft", reft(ReftVariant.DIREFT)),
            entry("noreft", reft(ReftVariant.NOREFT)),
            entry("consreft", reft(ReftVariant.CONSREFT)),
            entry("lobireft", reft(ReftVariant.LOBIREFT)),
            entry(
                    "pedro",
                    new Choice(
                            PromptMethodOptions.OF_PEDRO,
                            options -> options.ofPrompts.pedro(options.rank, options.activation))),
            entry(
                    "bottleneck",
                    new Choice(
                            Set.of("--placement", "--rank", "--reduction", "--activation", "--scale"),
                            MethodOptions::bottleneck)),
            entry("bitfit", new Choice(Set.of(), options -> BitFitConfig.ofTask())),
            entry("full", new Choice(Set.of(), options -> FullConfig.ofTask())),
            entry("head", new Choice(Set.of(), options -> HeadConfig.ofTask())));

    private static Choice reft(ReftVariant variant) {
        return new Choice(
                PromptMethodOptions.OF_REFT, options -> options.ofPrompts.reft(variant, options.rank, options.dropout));
    }

    /** The methods' names, for completion. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return METHODS.keySet().stream().sorted().iterator();
        }
    }

    @Option(
            names = "--rank",
            paramLabel = "R",
            description =
                    "Inner width of LoRA's product, whose scale is --alpha / R, or of LoReFT's subspace, 8 if not given; of PEDRO's"
                            + " generator, 12 if not given; or of a bottleneck, in place of --reduction.")
    private @Nullable Integer rank;

    @Option(
            names = "--alpha",
            paramLabel = "A",
            description = "Numerator of LoRA's scale; twice the rank if not given.")
    private @Nullable Double alpha;

    @Option(
            names = "--dropout",
            paramLabel = "P",
            description =
                    "Probability of dropping an input of LoRA's, or an element of LoReFT's edited states, in training;"
                            + " 0 if not given.")
    private @Nullable Double dropout;

    @Option(
            names = "--init",
            paramLabel = "START",
            description =
                    "How LoRA's matrices start: true, gaussian, orthogonal, pissa or olora, as in PEFT; true if not given. How"
                            + " a prompt starts: RANDOM or SAMPLE_VOCAB; SAMPLE_VOCAB if not given.")
    private @Nullable String init;

    @Option(
            names = "--targets",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Ends of the names of the layers to act on, such as q_proj,v_proj; the method's usual ones if not given.")
    private @Nullable List<String> targets;

    @Option(names = "--tokens", paramLabel = "T", description = "Length of the prefix or prompt; 16 if not given.")
    private @Nullable Integer tokens;

    @Option(
            names = "--init-text",
            paramLabel = "TEXT",
            description = "Words about the task that the prefix or prompt starts from.")
    private @Nullable String initText;

    @Option(
            names = "--placement",
            paramLabel = "PLACE",
            description =
                    "Where bottlenecks stand: houlsby, behind attention and feed-forward network; pfeiffer, behind the latter;"
                            + " parallel, beside it; houlsby if not given.")
    private @Nullable String placement;

    @Option(
            names = "--reduction",
            paramLabel = "N",
            description = "How many times narrower than the model a bottleneck is; 16 if not given, 2 in parallel.")
    private @Nullable Integer reduction;

    @Option(
            names = "--activation",
            paramLabel = "NAME",
            description =
                    "A bottleneck's nonlinearity: swish, relu, gelu, gelu_new or tanh, the placement's if not given; or PEDRO's:"
                            + " rational, trained from a GELU on, or gelu, relu, silu, mish or identity, fixed; rational if not given.")
    private @Nullable String activation;

    @Option(
            names = "--scale",
            paramLabel = "S",
            description = "What a bottleneck's output is multiplied by; 1 if not given, 4 in parallel.")
    private @Nullable Double scale;

    @Mixin
    private PromptMethodOptions ofPrompts;

    /**
     * The settings of a method.
     *
     * @throws InvalidConfigException if there is no such method, or it does not take an option that was given
     */
    AdapterConfig config(String method) {
        Choice choice = METHODS.get(method);
        if (choice == null) {
            throw new InvalidConfigException("--method: expected one of " + NAMES + ", found " + method);
        }
        refuseAllBut(choice.takes(), method);
        return choice.config().apply(this);
    }

    /**
     * Refuses what was given to something without settings.
     *
     * @throws InvalidConfigException if any of these options was given
     */
    void refuseAll(String method) {
        refuseAllBut(Set.of(), method);
    }

    private void refuseAllBut(Set<String> taken, String method) {
        given().forEach((option, value) -> {
            if (!taken.contains(option)) {
                throw new InvalidConfigException(
                        option + " " + value + ": the method " + method + " has no such setting; leave the option out");
            }
        });
    }

    private Map<String, Object> given() {
        Map<String, Object> given = new TreeMap<>();
        put(given, "--rank", rank);
        put(given, "--alpha", alpha);
        put(given, "--dropout", dropout);
        put(given, "--init", init);
        put(given, "--targets", targets);
        put(given, "--tokens", tokens);
        put(given, "--placement", placement);
        put(given, "--reduction", reduction);
        put(given, "--activation", activation);
        put(given, "--scale", scale);
        put(given, "--init-text", initText);
        ofPrompts.addTo(given);
        return given;
    }

    static void put(Map<String, Object> given, String option, @Nullable Object value) {
        if (value != null) {
            given.put(option, value);
        }
    }

    private @Nullable Targets targets() {
        return targets == null ? null : Targets.names(targets);
    }

    private LoraConfig lora(@Nullable Targets where) {
        LoraConfig.Builder lora = LoraConfig.builder().targets(where);
        if (rank != null) {
            lora.rank(rank);
        }
        if (alpha != null) {
            lora.alpha(alpha);
        }
        if (dropout != null) {
            lora.dropout(dropout);
        }
        if (init != null) {
            lora.init(LoraInit.named(init)
                    .orElseThrow(() -> new InvalidConfigException(
                            "--init: expected true, gaussian, orthogonal, pissa or olora, found " + init)));
        }
        return lora.build();
    }

    private BottleneckConfig bottleneck() {
        String where = placement == null ? Placement.HOULSBY.fileName() : placement;
        BottleneckConfig.Builder config = BottleneckConfig.builder(Placement.named(where)
                .orElseThrow(() -> new InvalidConfigException(
                        "--placement: expected houlsby, pfeiffer or parallel, found " + where)));
        if (rank != null && reduction != null) {
            throw new InvalidConfigException("--rank " + rank + " and --reduction " + reduction
                    + " both say how wide a bottleneck is; give one of the two");
        }
        if (rank != null) {
            config.rank(rank);
        }
        if (reduction != null) {
            config.reduction(reduction);
        }
        if (activation != null) {
            config.activation(ActivationNames.named(activation)
                    .orElseThrow(() -> new InvalidConfigException(
                            "--activation: expected one of " + ActivationNames.all() + ", found " + activation)));
        }
        if (scale != null) {
            config.scale(scale);
        }
        return config.build();
    }

    private PrefixConfig prefix() {
        return PrefixConfig.builder()
                .virtualTokens(tokens())
                .init(initText == null ? PrefixInit.normal() : PrefixInit.fromText(initText))
                .build();
    }

    private PromptConfig prompt() {
        return PromptConfig.builder().virtualTokens(tokens()).init(promptInit()).build();
    }

    private PromptInit promptInit() {
        if (initText != null && init != null) {
            throw new InvalidConfigException(
                    "--init " + init + ": the prompt starts from the text of --init-text;" + " give one of the two");
        }
        if (initText != null) {
            return PromptInit.fromText(initText);
        }
        return switch (init == null ? "SAMPLE_VOCAB" : init) {
            case "RANDOM" -> PromptInit.normal();
            case "SAMPLE_VOCAB" -> PromptInit.sampledVocabulary();
            default ->
                throw new InvalidConfigException("--init: expected RANDOM or SAMPLE_VOCAB for a prompt, found " + init
                        + "; words to start from go into --init-text");
        };
    }

    private PTuningConfig pTuning() {
        return PTuningConfig.builder().virtualTokens(tokens()).build();
    }

    private int tokens() {
        return tokens == null ? 16 : tokens;
    }
}
