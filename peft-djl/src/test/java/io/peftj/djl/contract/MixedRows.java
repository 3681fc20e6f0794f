package io.peftj.djl.contract;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.site.Role;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.methods.bottleneck.BottleneckConfig;
import io.peftj.methods.bottleneck.Placement;
import io.peftj.methods.full.FullConfig;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prompt.PromptConfig;
import io.peftj.methods.ptuning.PTuningConfig;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.methods.reft.ReftVariant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adapters of all kinds on a model, and ragged rows under them in a shuffled order.
 *
 * @param adapters on a classifier each brings a head, of 2 classes and more
 * @param rows each with the numbers of its adapters
 */
record MixedRows(List<TestAdapter> adapters, List<Assigned> rows) {
    /** The base alone, each adapter alone, two adapters together; the first ones stand in several stacks. */
    private static final List<List<Integer>> STACKS = List.of(
            List.of(),
            List.of(0),
            List.of(1),
            List.of(2),
            List.of(3),
            List.of(4),
            List.of(0, 2),
            List.of(2, 0),
            List.of(1, 3),
            List.of(4, 0),
            List.of(0, 1),
            List.of(3, 1, 2),
            List.of(5),
            List.of(5, 0),
            List.of(2, 5),
            List.of(6),
            List.of(7),
            List.of(7, 6),
            List.of(6, 5),
            List.of(8),
            List.of(9),
            List.of(0, 8),
            List.of(9, 5),
            List.of(8, 3, 6),
            List.of(10),
            List.of(12),
            List.of(10, 0, 12));

    /** More stacks in double precision alone: under random weights everywhere single precision's rounding would hide mistakes. */
    private static final List<List<Integer>> EXACT_STACKS = List.of(
            List.of(8, 10),
            List.of(11, 9),
            List.of(13),
            List.of(14, 13),
            List.of(13, 2, 14),
            List.of(15),
            List.of(15, 13),
            List.of(16),
            List.of(16, 0),
            List.of(11),
            List.of(10, 11),
            List.of(11, 0, 12),
            List.of(3, 11, 2),
            List.of(10, 8, 11));

    static MixedRows on(BackboneModel model) {
        BackboneSpec spec = model.spec();
        TaskType task = spec.head() == null ? TaskType.CAUSAL_LM : TaskType.SEQ_CLS;
        LoraConfig lora = LoraConfig.builder().taskType(task).dropout(0.25).build();
        String[] more = ModuleNames.named(spec, Role.QUERY, Role.VALUE, Role.ATTENTION_OUTPUT, Role.DOWN);
        Map<String, AdapterConfig> configs = new LinkedHashMap<>();
        configs.put("LoRA of rank 2", lora.toBuilder().rank(2).build());
        configs.put(
                "LoRA of rank 5",
                lora.toBuilder().rank(5).dropout(0.5).targets(more).build());
        configs.put("(IA)3", Ia3Config.builder().taskType(task).build());
        configs.put(
                "prefix of 2",
                PrefixConfig.builder().virtualTokens(2).taskType(task).build());
        configs.put(
                "prefix of 4",
                PrefixConfig.builder().virtualTokens(4).taskType(task).build());
        configs.put(
                "DoRA of rank 3",
                lora.toBuilder().rank(3).targets(more).dora(true).build());
        configs.put(
                "LoRA of embeddings",
                lora.toBuilder()
                        .rank(2)
                        .targets(spec.sites(Role.EMBEDDING).get(0).name())
                        .build());
        configs.put(
                "rows of embeddings",
                lora.toBuilder().rank(1).trainableTokens(5, 3, 4, 20).build());
        configs.put(
                "prompt of 3",
                PromptConfig.builder().virtualTokens(3).taskType(task).build());
        configs.put(
                "P-tuned prompt of 5",
                PTuningConfig.builder().virtualTokens(5).taskType(task).build());
        ReftConfig reft = ReftConfig.builder().rank(2).taskType(task).build();
        configs.put("LoReFT of rank 2", reft.toBuilder().dropout(0.25).build());
        configs.put("PEDRO", PedroConfig.builder().rank(3).taskType(task).build());
        configs.put(
                "DiReFT of rank 3",
                reft.toBuilder()
                        .variant(ReftVariant.DIREFT)
                        .rank(3)
                        .positions(1, 0)
                        .build());
        List<List<Integer>> stacks = new ArrayList<>(STACKS);
        if (model.isExact()) {
            configs.put(
                    "bottlenecks behind",
                    BottleneckConfig.builder(Placement.HOULSBY)
                            .rank(2)
                            .taskType(task)
                            .build());
            configs.put(
                    "bottlenecks beside",
                    BottleneckConfig.builder(Placement.PARALLEL).taskType(task).build());
            configs.put("biases", new BitFitConfig(List.of(), task));
            configs.put("everything", new FullConfig(task));
            stacks.addAll(EXACT_STACKS);
        }
        // In single precision large values would make much of a difference in rounding, which processors do each their
        // way.
        double deviation = model.isExact() ? 0.5 : 0.3;
        List<TestAdapter> adapters = new ArrayList<>();
        configs.forEach((name, config) ->
                adapters.add(TestAdapter.random(name, config, withClasses(spec, classes(adapters.size())), deviation)));
        return new MixedRows(adapters, rows(spec, stacks));
    }

    private static int classes(int adapter) {
        return 2 + adapter;
    }

    private static BackboneSpec withClasses(BackboneSpec spec, int classes) {
        HeadSpec head = spec.head();
        return head == null ? spec : spec.withHead(spec.headFor(classes));
    }

    private static List<Assigned> rows(BackboneSpec spec, List<List<Integer>> stacks) {
        CounterRandom random = CounterRandom.of(7);
        List<Assigned> rows = new ArrayList<>();
        for (List<Integer> stack : stacks) {
            for (int i = 0; i < 3; i++) {
                int[] ids = new int[2 + random.nextInt(8)];
                Arrays.setAll(ids, t -> random.nextInt(spec.vocabulary()));
                // The head of the last adapter in a stack counts.
                int label = random.nextInt(stack.isEmpty() ? 2 : classes(stack.get(stack.size() - 1)));
                int number = rows.size();
                Example example = spec.head() == null
                        ? Example.answered(number, answer(stack, 1 + random.nextInt(ids.length - 1)), ids)
                        : Example.classified(number, label, ids);
                rows.add(new Assigned(example, stack));
            }
        }
        int[] order = random.permutation(rows.size());
        return Arrays.stream(order).mapToObj(rows::get).toList();
    }

    /** Rows behind virtual tokens learn their first token too, unless an adapter reads a prompt, which is never learnt. */
    private static int answer(List<Integer> stack, int otherwise) {
        boolean prompted = stack.contains(8) || stack.contains(9);
        return prompted && Collections.disjoint(stack, List.of(10, 11, 12)) ? 0 : otherwise;
    }

    /** The rows by stack: what runs alone. */
    Map<List<Integer>, List<Assigned>> byStack() {
        Map<List<Integer>, List<Assigned>> byStack = new LinkedHashMap<>();
        rows.forEach(row -> byStack.computeIfAbsent(row.adapters(), stack -> new ArrayList<>())
                .add(row));
        return byStack;
    }
}
