package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.pytorch.engine.PtNDManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

class KernelChoiceTest {
    /** A probe that fails by mistake costs half the speed and is not seen in any result. */
    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
    void theFastKernelsOfThePinnedNativesAreFound() {
        try (TorchBackend started = TorchBackend.open(EngineOptions.defaults().withThreads(1));
                PtNDManager manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager()) {
            KernelChoice choice = started.call(() -> KernelChoice.probe(manager, EngineOptions.defaults()));

            assertThat(choice).isEqualTo(new KernelChoice(true, true, true, true));
        }
    }
}
