package io.peftj.examples.cli;

import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Options;
import java.nio.file.Path;

/** Opens models on whatever backend the commands are to compute on. */
@FunctionalInterface
interface ModelOpener {
    /** The model of a path; closing it frees all that was made for it. */
    Backbone open(Path model, Options options);
}
