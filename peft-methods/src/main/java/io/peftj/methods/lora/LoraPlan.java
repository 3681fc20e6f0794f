package io.peftj.methods.lora;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.adapter.TargetSites;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.TargetMatcher;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** LoRA on one model: what it has at each target, and what is trained whole beside it. */
final class LoraPlan implements AdapterPlan {
    private static final Logger LOG = LoggerFactory.getLogger(LoraPlan.class);
    private static final String BIAS = ".bias";

    private final BackboneSpec spec;
    private final List<LoraPart> parts;
    private final SavedModules saved;

    /** Plans a configuration whose targets are given. */
    LoraPlan(BackboneSpec spec, LoraConfig config) {
        this.spec = spec;
        List<Site> targets = targets(spec, config);
        List<TokenEmbeddings> tokens = tokens(spec, config, targets);
        this.parts = new ArrayList<>(parts(config, targets));
        this.parts.addAll(tokens);
        this.saved = SavedModules.of(spec, config, LoraPart.PREFIX).and(biases(spec, config, targets));
    }

    private static List<Site> targets(BackboneSpec spec, LoraConfig config) {
        TargetMatcher matcher = new TargetMatcher(
                Objects.requireNonNull(config.targets()),
                config.exclude(),
                config.layersToTransform().isEmpty() ? null : config.layersToTransform(),
                config.layersPattern());
        return TargetSites.of(spec, config, matcher);
    }

    private static List<LoraPart> parts(LoraConfig config, List<Site> targets) {
        NamePatterns<Integer> ranks = new NamePatterns<>("rank_pattern", config.rankPattern());
        NamePatterns<Double> alphas = new NamePatterns<>("alpha_pattern", config.alphaPattern());
        List<String> names = targets.stream().map(Site::name).toList();
        warn("rank_pattern", ranks.unmatched(names));
        warn("alpha_pattern", alphas.unmatched(names));
        List<LoraPart> parts = new ArrayList<>();
        for (Site site : targets) {
            int rank = ranks.valueFor(site.name(), config.rank());
            double alpha = alphas.valueFor(site.name(), config.alpha());
            double scale = alpha / (config.rankStabilised() ? Math.sqrt(rank) : rank);
            parts.add(
                    site.role() == Role.EMBEDDING
                            ? embedding(site, rank, scale, config)
                            : new LinearTarget(site, rank, scale, config));
        }
        return parts;
    }

    private static void warn(String key, List<String> unmatched) {
        if (!unmatched.isEmpty()) {
            LOG.warn("{} names {}, which match none of the targets and change nothing", key, unmatched);
        }
    }

    private static LoraPart embedding(Site site, int rank, double scale, LoraConfig config) {
        if (config.dora()) {
            throw new InvalidConfigException("use_dora: target_modules match the token embeddings \"" + site.name()
                    + "\", on which DoRA is not implemented; target linear layers, or name it in modules_to_save");
        }
        return new EmbeddingTarget(site, rank, scale, config.init());
    }

    /** As in PEFT, a matrix is trained one way: whole, by low-rank matrices, or by rows. */
    private static List<TokenEmbeddings> tokens(BackboneSpec spec, LoraConfig config, List<Site> targets) {
        TrainableTokens asked = config.trainableTokens();
        if (asked == null) {
            return List.of();
        }
        List<TokenEmbeddings> found = asked.on(spec);
        found.stream().flatMap(each -> each.ends().stream()).forEach(end -> {
            boolean saved = config.modulesToSave().stream().anyMatch(entry -> Targets.isInside(end.name(), entry));
            if (saved || targets.contains(end)) {
                throw new InvalidConfigException(TrainableTokens.KEY + " trains rows of \"" + end.name() + "\", which "
                        + (saved ? "modules_to_save trains whole" : "target_modules name too")
                        + "; train it in one of these ways");
            }
        });
        return found;
    }

    /** PEFT wraps a target, so its bias is stored under base_layer. */
    private static SavedModules biases(BackboneSpec spec, LoraConfig config, List<Site> targets) {
        Map<ParameterSpec, String> found = new LinkedHashMap<>();
        spec.parameters().forEach((name, shape) -> {
            String module = name.endsWith(BIAS) ? name.substring(0, name.length() - BIAS.length()) : "";
            boolean targeted = targets.stream().anyMatch(site -> site.name().equals(module));
            boolean trained = switch (config.bias()) {
                case NONE -> false;
                case LORA_ONLY -> targeted;
                case ALL -> !module.isEmpty();
            };
            if (trained) {
                String stored = LoraPart.PREFIX + module + (targeted ? ".base_layer" : "") + BIAS;
                found.put(new ParameterSpec(stored, shape), name);
            }
        });
        return new SavedModules(found);
    }

    /** The parts that are products of small matrices, by where they are. */
    Map<Site, LowRankPart> lowRank() {
        Map<Site, LowRankPart> found = new LinkedHashMap<>();
        for (LoraPart part : parts) {
            if (part instanceof LowRankPart product) {
                found.put(product.site(), product);
            }
        }
        return found;
    }

    @Override
    public List<ParameterSpec> stored() {
        List<ParameterSpec> all = new ArrayList<>();
        parts.forEach(part -> all.addAll(part.stored()));
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        parts.forEach(part -> values.putAll(part.initialise(context)));
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        parts.forEach(part -> effective.putAll(part.derive(parameters, context)));
        return effective;
    }

    /** The stored parameters where ranks are doubled, so that what PiSSA and OLoRA take from the base stands in them too. */
    Map<String, HostTensor> doubled(Map<String, HostTensor> stored, BaseValues values) {
        Map<String, HostTensor> doubled = new LinkedHashMap<>(stored);
        parts.forEach(part -> doubled.putAll(part.doubled(stored, values)));
        return doubled;
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        parts.forEach(part -> all.addAll(part.contributions()));
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }
}
