package io.peftj.djl.train;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;

/**
 * A process that trains, to be killed: a folder for all it reads and writes, and which backend. It resumes what it finds there, prints a
 * line after each step, says more in metrics.jsonl, and leaves the adapter in a folder of that name.
 */
public final class KilledTraining {
    /** Steps between checkpoints. */
    static final int INTERVAL = 3;

    private KilledTraining() {}

    /** Trains in a folder on "reference" or "engine". */
    public static void main(String... arguments) {
        Path folder = Path.of(arguments[0]);
        try (Backend backend = arguments[1].equals("engine")
                        ? TorchBackend.open(EngineOptions.defaults().withThreads(1))
                        : ReferenceBackend.rounding();
                Backbone base = Backbones.load(TinyModels.bert(folder.resolve("model"), 1), backend, DType.F32)) {
            AdapterTrainer.on(base)
                    .method(LoraConfig.builder().rank(2).dropout(0.2).build())
                    .task(Tasks.classification(Sentences.LABELS).maxLength(16))
                    .epochs(8)
                    .learningRate(2e-2)
                    .batchSize(6)
                    .microBatchSize(4)
                    .schedule(Schedule.linear().warmUp(0.1))
                    .earlyStopping(4)
                    .seed(3)
                    .checkpoints(Checkpoints.in(folder.resolve("checkpoints"))
                            .everySteps(INTERVAL)
                            .resume())
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(TrainingEvent.Step event) {
                            System.out.println(event.step());
                        }
                    })
                    .listener(JsonLinesMetrics.to(folder.resolve("metrics.jsonl")))
                    .fit(
                            Sentences.opinions().subList(0, 28),
                            Sentences.opinions().subList(28, 40))
                    .save(folder.resolve("adapter"));
        }
    }
}
