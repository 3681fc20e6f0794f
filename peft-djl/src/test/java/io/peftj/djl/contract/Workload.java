package io.peftj.djl.contract;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.generate.Continuation;
import io.peftj.djl.generate.Decoder;
import io.peftj.djl.generate.Prompt;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.OptimizerStep;
import io.peftj.djl.train.OptimizerStep.Settings;
import io.peftj.djl.train.TrainableAdapter;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.reft.ReftConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** Adapters, LoRA with dropout, a prefix, LoReFT and PEDRO, that are trained on a shared language model, infer and generate on it, alone and stacked. */
final class Workload implements AutoCloseable {
    private static final AdamW OPTIMIZER = new AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01);
    private static final List<Assigned> ROWS = List.of(
            row(0, List.of(0), 3, 14, 15, 9, 2),
            row(1, List.of(), 6, 5, 3),
            row(2, List.of(0, 1), 5, 8, 9, 7, 9, 3),
            row(3, List.of(1), 2, 3),
            new Assigned(Example.answered(4, 3, 2, 7, 1, 8), List.of(2, 3)));

    private final BackboneModel model;
    private final List<TrainableAdapter> trained = new ArrayList<>();
    private final List<ResidentAdapter> resident = new ArrayList<>();

    /** Adapters of their own for every name. */
    Workload(BackboneModel model, String name) {
        this.model = model;
        TaskType task = TaskType.CAUSAL_LM;
        List<AdapterConfig> configs = List.of(
                LoraConfig.builder()
                        .rank(2)
                        .dropout(0.25)
                        .targets("q_proj", "v_proj", "down_proj", "lm_head")
                        .taskType(task)
                        .build(),
                PrefixConfig.builder().virtualTokens(2).taskType(task).build(),
                ReftConfig.builder().rank(2).taskType(task).build(),
                PedroConfig.builder().rank(2).taskType(task).build());
        for (AdapterConfig config : configs) {
            TestAdapter adapter =
                    TestAdapter.random(name + " " + config.getClass().getSimpleName(), config, model.spec());
            trained.add(adapter.trainable(model));
            resident.add(adapter.resident(model));
        }
    }

    private static Assigned row(int number, List<Integer> adapters, int... ids) {
        return new Assigned(Example.answered(number, 1, ids), adapters);
    }

    /** Takes a training step of two micro-batches; gives the loss. */
    double step(int number) {
        return step(number, () -> false);
    }

    double step(int number, BooleanSupplier cancelled) {
        Settings settings = new Settings(OPTIMIZER, number, new Training(1, number));
        return model.base()
                .call(
                        "step",
                        cancelled,
                        session -> new OptimizerStep(model.base(), new Objective.NextToken(), trained, 1)
                                .take(session, List.of(ROWS.subList(0, 2), ROWS.subList(2, 5)), settings)
                                .loss());
    }

    /** The rows' logits under the adapters as they were before training. */
    List<double[]> infer() {
        return infer(() -> false);
    }

    List<double[]> infer(BooleanSupplier cancelled) {
        return model.base().call("infer", cancelled, this::infer);
    }

    List<double[]> infer(Session session) {
        List<ActiveAdapter> active =
                resident.stream().map(adapter -> adapter.in(session)).toList();
        List<Row> rows = new ArrayList<>();
        for (Assigned row : ROWS) {
            rows.addAll(row.example()
                    .rows(new Stack(row.adapters().stream().map(active::get).toList())));
        }
        Batch batch = Batch.of(session, model.spec(), rows);
        List<Tensor> ofRows = model.logits(new Run(session, batch, null));
        double[][] logits = new double[ofRows.size()][];
        for (int r = 0; r < logits.length; r++) {
            logits[batch.callersRow(r)] = ofRows.get(r).toDoubles();
        }
        return Arrays.asList(logits);
    }

    /** Four tokens after each row, under the adapters as they were before training. */
    List<Continuation> generate() {
        List<Prompt> prompts = new ArrayList<>();
        for (Assigned row : ROWS) {
            int[] ids = IntStream.range(0, row.example().length())
                    .map(row.example()::id)
                    .toArray();
            prompts.add(Prompt.of(4, ids)
                    .under(row.adapters().stream().map(resident::get).toArray(ResidentAdapter[]::new)));
        }
        return Decoder.on(model.base()).decode(prompts);
    }

    /** The trained values, by adapter and parameter. */
    Map<String, float[]> trainedValues() {
        Map<String, float[]> values = new LinkedHashMap<>();
        for (TrainableAdapter adapter : trained) {
            Map<String, HostTensor> stored = adapter.stored();
            stored.forEach((name, value) -> values.put(adapter.name() + ": " + name, value.values()));
        }
        return values;
    }

    @Override
    public void close() {
        trained.forEach(TrainableAdapter::close);
        resident.forEach(ResidentAdapter::close);
    }
}
