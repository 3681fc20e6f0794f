package io.peftj.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.benchmarks.report.BarChart.Bar;
import io.peftj.benchmarks.report.BarChart.Panel;
import io.peftj.benchmarks.report.BarChart.Series;
import io.peftj.benchmarks.report.Spread;
import java.util.List;
import org.junit.jupiter.api.Test;

class SummaryPanelsTest {
    private static final Metric SPEED = Metric.more("speed", "tokens/s", 1);
    private static final Metric UNSEEN = Metric.less("speed", "unseen", 0).notDrawn();

    private static Run run(Side side, String method, int round, double speed) {
        JsonObject line = new JsonObject();
        line.addProperty("speed", speed);
        return Run.of(side, new Case(method, "float32"), round, 1, line);
    }

    @Test
    void aMetricThatIsDrawnIsAPanelWithABarForEachSideAndCaseOrTheWordWhyNot() {
        List<Panel> panels = SummaryPanels.of(Summary.of(
                List.of(SPEED, UNSEEN),
                List.of(
                        run(Side.OURS, "lora", 1, 10),
                        run(Side.OURS, "lora", 2, 12),
                        run(Side.PEER, "lora", 1, 8),
                        run(Side.OURS, "ia3", 1, 9),
                        Run.absent(Side.PEER, new Case("ia3", "float32"), 1, "a reason"))));

        assertThat(panels).extracting(Panel::title).containsExactly("tokens/s");
        assertThat(panels.get(0).groups()).containsExactly("lora, float32", "ia3, float32");
        assertThat(panels.get(0).series())
                .extracting(Series::title)
                .containsExactly("PEFT for the JVM", "Hugging Face PEFT");
        assertThat(panels.get(0).series().get(0).bars())
                .containsExactly(new Bar(Spread.of(10, 12), "11.0"), new Bar(Spread.of(9), "9.0"));
        assertThat(panels.get(0).series().get(1).bars())
                .containsExactly(new Bar(Spread.of(8), "8.0"), new Bar(null, "absent"));
    }
}
