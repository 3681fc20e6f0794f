package io.peftj.methods.lora;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution.SubstituteRows;
import io.peftj.core.adapter.WeightedAdapters;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.SiteNames;
import io.peftj.methods.lora.LoraCombination.Planned;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The settings of a combination: the targets of all adapters, and a scale of 1 everywhere, since scales stand in the matrices. */
record CombinedConfig(WeightedAdapters adapters, List<Planned> terms, Map<Site, Factors> products) {
    LoraConfig make() {
        BackboneSpec spec = adapters.spec();
        adapters.checkOneWay(products.keySet(), "by low-rank matrices");
        int usual = usualRank();
        Map<String, Integer> ranks = new LinkedHashMap<>();
        Map<String, Double> alphas = new LinkedHashMap<>();
        products.forEach((site, product) -> {
            if (product.rank() != usual) {
                ranks.put(site.name(), product.rank());
                alphas.put(site.name(), (double) product.rank());
            }
        });
        return LoraConfig.builder()
                .rank(usual)
                .alpha(usual)
                .rankPattern(ranks)
                .alphaPattern(alphas)
                .targets(SiteNames.shortest(List.copyOf(products.keySet()), spec.sites()))
                .bias(bias())
                .fanInFanOut(terms.get(0).config().fanInFanOut())
                .trainableTokens(tokens())
                .modulesToSave(adapters.modulesToSave())
                .taskType(adapters.taskType())
                .build();
    }

    private int usualRank() {
        Map<Integer, Long> counts =
                products.values().stream().collect(Collectors.groupingBy(Factors::rank, Collectors.counting()));
        return counts.entrySet().stream()
                .max(Map.Entry.<Integer, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .orElseThrow()
                .getKey();
    }

    private LoraBias bias() {
        Set<LoraBias> all = terms.stream().map(term -> term.config().bias()).collect(Collectors.toSet());
        return all.contains(LoraBias.ALL)
                ? LoraBias.ALL
                : all.contains(LoraBias.LORA_ONLY) ? LoraBias.LORA_ONLY : LoraBias.NONE;
    }

    /** The tokens of all adapters by end, as one list where that says the same. */
    private @Nullable TrainableTokens tokens() {
        BackboneSpec spec = adapters.spec();
        Map<String, Set<Integer>> byMatrix = new LinkedHashMap<>();
        for (Planned term : terms) {
            term.plan().contributions().forEach(contribution -> {
                if (contribution instanceof SubstituteRows rows) {
                    byMatrix.computeIfAbsent(rows.baseParameter(), key -> new TreeSet<>())
                            .addAll(rows.rows());
                }
            });
        }
        if (byMatrix.isEmpty()) {
            return null;
        }
        Map<String, List<Integer>> bySite = new LinkedHashMap<>();
        for (Role role : List.of(Role.EMBEDDING, Role.OUTPUT_EMBEDDING)) {
            for (Site site : spec.sites(role)) {
                Set<Integer> rows = byMatrix.get(site.weightName());
                if (rows != null) {
                    bySite.put(site.name(), new ArrayList<>(rows));
                }
            }
        }
        List<Integer> ofEmbedding = bySite.get(spec.sites(Role.EMBEDDING).get(0).name());
        int ends = 1 + (spec.tied() ? spec.sites(Role.OUTPUT_EMBEDDING).size() : 0);
        if (ofEmbedding == null
                || bySite.size() != ends
                || Set.copyOf(bySite.values()).size() > 1) {
            return new TrainableTokens.ByModule(bySite);
        }
        return new TrainableTokens.OfEmbeddings(ofEmbedding);
    }
}
