package io.peftj.examples;

import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.serve.Classifier;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.Tasks;
import io.peftj.methods.lora.LoraConfig;
import java.nio.file.Path;
import java.util.List;

/** The lines that README.md quotes. */
public final class QuickStart {
    private QuickStart() {}

    /** Trains a classifier on a model's directory (or a langchain4j jar) and saves its adapter. */
    public static void train(
            Path model, Path folder, List<LabelledText> train, List<LabelledText> validation, List<String> labels) {
        // [train]
        try (Backbone base = Backbones.load(model)) {
            Adapter adapter = AdapterTrainer.on(base)
                    .method(LoraConfig.builder().rank(8).build())
                    .task(Tasks.classification(labels))
                    .learningRate(3e-3)
                    .epochs(8)
                    .listener(ProgressBar.toStderr())
                    .fit(train, validation);
            adapter.save(folder);
        }
        // [train]
    }

    /** Opens the model again and uses the adapter. */
    public static void use(Path model, Path folder) {
        // [use]
        try (Backbone base = Backbones.load(model);
                Classifier classifier = Classifier.of(base, AdapterLoader.load(folder, base))) {
            System.out.println(classifier.classify("Nobody called me back."));
        }
        // [use]
    }
}
