using System.Text;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using ActorTrainer.Host.Views;
using ActorTrainer.Model.Optimisation;
using Spectre.Console;
using Xunit;

namespace ActorTrainer.Tests.Reports;

public class ViewTests
{
    private readonly ManualTime _time = new();
    private readonly StringWriter _output = new();

    [Fact]
    public void The_plain_view_prints_the_first_step_then_one_line_per_interval()
    {
        var view = new PlainView(_output, new RunBudget(BudgetUnit.Steps, 100_000), 0.111, _time);
        for (var step = 1; step <= 40; step++)
        {
            _time.Advance(0.5);
            view.OnStep(Samples.Step(step, 5, 1, 100_000, new StageLoad(0, 0.4, 0.5), new StageLoad(1, 0.3, 0.5)));
        }

        // At 0.5 s and then every 2 s until 20 s.
        Assert.Equal([1, 5, 9, 13, 17, 21, 25, 29, 33, 37], Lines().Select(StepOf));
        Assert.Contains("step 5/100,000", Lines()[1]);
        Assert.Contains("loss 5.000", Lines()[1]);
        Assert.Contains("2048 tokens/s", Lines()[1]);
        Assert.Contains("left 13:53:17", Lines()[1]);
        Assert.Contains("bubble 30.0 % (formula 11.1 %)", Lines()[1]);
    }

    [Fact]
    public void The_plain_view_calls_a_loss_and_a_norm_that_nobody_here_can_read_encrypted()
    {
        var view = new PlainView(_output, new RunBudget(BudgetUnit.Steps, 100), time: _time);
        view.OnStep(Samples.Step(1, double.NaN) with { GradientNorm = double.NaN });
        Assert.Contains("loss encrypted  lr 1.00e-3  norm encrypted", Lines()[0]);
    }

    [Fact]
    public void A_short_run_gets_a_line_each_twentieth()
    {
        var view = new PlainView(_output, new RunBudget(BudgetUnit.Steps, 100), time: _time);
        for (var step = 1; step <= 100; step++)
        {
            _time.Advance(0.001);
            view.OnStep(Samples.Step(step));
        }

        Assert.Equal([1, .. Enumerable.Range(1, 20).Select(i => 5 * i)], Lines().Select(StepOf));
    }

    [Fact]
    public void In_a_long_run_the_lines_become_rarer_down_to_one_a_minute()
    {
        var view = new PlainView(_output, new RunBudget(BudgetUnit.Steps, 1_000_000), time: _time);
        for (var step = 1; step <= 20_000; step++)
        {
            _time.Advance(1);
            view.OnStep(Samples.Step(step, 5, 1, 1_000_000));
        }

        var steps = Lines().Select(StepOf).ToList();
        Assert.Equal(60, steps[^1] - steps[^2]);
        Assert.InRange(steps.Count, 300, 500);
    }

    [Fact]
    public void The_plain_view_tells_attempts_evaluations_checkpoints_notices_and_skipped_steps_at_once()
    {
        var view = new PlainView(_output, new RunBudget(BudgetUnit.Hours, 1), time: _time);
        view.OnAttempt(1, 0);
        view.OnNotice("training a tokenizer");
        view.OnAttempt(2, 10);
        view.OnEvaluation(Samples.Evaluation(10, 5.5));
        view.OnCheckpoint(10, "checkpoints/10");
        view.OnStep(Samples.Step(11, double.NaN) with { Skipped = true });
        Assert.Equal(
        [
            "training a tokenizer",
            "attempt 2: goes on after step 10",
            "step 10  held-out loss 5.500  unigram entropy 6.900  accuracy 25.0 %",
            "step 10  checkpoint checkpoints/10",
            "step 11: update skipped, loss NaN and gradient norm 0.5 are not both finite",
        ], Lines()[..5]);
        Assert.StartsWith("step 11 of 1:00:00  11.0 %", Lines()[5]);
    }

    [Fact]
    public void The_live_view_shows_progress_losses_stages_and_both_bubbles()
    {
        using (var view = new LiveView(Console(_output), "first run", new RunBudget(BudgetUnit.Steps, 200), 0.111, _time))
        {
            view.OnAttempt(2, 0);
            for (var step = 1; step <= 50; step++)
            {
                _time.Advance(0.5);
                view.OnStep(Samples.Step(step, 10 - 0.1 * step, 2, 200, new StageLoad(0, 0.45, 0.5), new StageLoad(1, 0.35, 0.5)));
            }

            view.OnEvaluation(Samples.Evaluation(20, 5.25));
            view.OnEvaluation(Samples.Evaluation(50, 5.5));
            view.OnCheckpoint(50, "checkpoints/[50]");
        }

        var frame = LastFrame("first run");
        foreach (var expected in new[]
        {
            "first run, attempt 2", "25.0 %   step 50/200", "5.000", "lr 1.00e-3", "5.500 at step 50", "unigram 6.900", "best 5.250 at step 20",
            "2048 tokens/s", "elapsed 0:00:25", "left 0:01:15", "90 % busy", "70 % busy", "20.0 % measured, 11.1 % by the formula",
            "checkpoint checkpoints/[50]", "goes on after step 0",
        })
        {
            Assert.Contains(expected, frame);
        }

        Assert.Contains(frame, c => c is > '\u2800' and <= '\u28FF');
    }

    [Fact]
    public void The_live_view_of_a_terminal_without_unicode_is_plain_ascii()
    {
        var console = Console(_output);
        console.Profile.Capabilities.Unicode = false;
        using (var view = new LiveView(console, "ascii", new RunBudget(BudgetUnit.Tokens, 1e6), null, _time))
        {
            view.OnStep(Samples.Step(1, 9, 1, 100, new StageLoad(0, 0.45, 0.5)));
            view.OnStep(Samples.Step(2, 8, 1, 100, new StageLoad(0, 0.45, 0.5)));
        }

        var frame = LastFrame("ascii");
        Assert.Contains("9.00 to 8.00, 8.00 now", frame);
        Assert.DoesNotContain(frame, c => c is '█' or '╭' or >= '\u2800' and <= '\u28FF');
    }

    [Fact]
    public void A_terminal_that_fails_does_not_reach_the_run()
    {
        using var view = new LiveView(Console(new BrokenWriter()), "gone", new RunBudget(BudgetUnit.Steps, 10), 0.1, _time);
        for (var step = 1; step <= 10; step++)
        {
            view.OnStep(Samples.Step(step));
        }
    }

    [Fact]
    public void A_terminal_that_is_stuck_does_not_hold_the_run()
    {
        var writer = new StuckWriter();
        using var view = new LiveView(Console(writer), "stuck", new RunBudget(BudgetUnit.Steps, 10), 0.1, _time);
        writer.Reached.Wait();
        for (var step = 1; step <= 10; step++)
        {
            view.OnStep(Samples.Step(step));
            view.OnNotice("still here");
        }

        writer.Release.Set();
    }

    [Fact]
    public void An_observer_that_throws_is_noted_once_and_does_not_keep_the_others_from_being_told()
    {
        var seen = new Recorder();
        var observers = new RunObservers(new Thrower(), seen);
        observers.OnStep(Samples.Step(1));
        observers.OnStep(Samples.Step(2));
        observers.OnEvaluation(Samples.Evaluation(2, 5));
        Assert.Equal([1, 2], seen.Steps);
        var notice = Assert.Single(seen.Notices);
        Assert.Contains("Thrower failed", notice);
        Assert.Contains("disk full", notice);
    }

    [Fact]
    public void A_braille_chart_falls_from_its_top_left_to_its_bottom_right()
    {
        Assert.Equal(["\u2831\u2840", "\u2800\u28A3"], BrailleChart.Render([4, 3, 2, 1], 2, 2));
        Assert.Equal(["\u2800\u2800"], BrailleChart.Render([], 2, 1));
    }

    [Fact]
    public void A_tracker_keeps_the_loss_of_any_number_of_steps_in_bounded_memory()
    {
        var tracker = new RunTracker(_time);
        for (var step = 1; step <= 10_000; step++)
        {
            tracker.OnStep(Samples.Step(step, step));
            Assert.True(tracker.Losses.Count <= 513);
        }

        Assert.Equal(tracker.Losses.Order(), tracker.Losses);
        Assert.InRange(tracker.Losses[0], 1, 32);
        Assert.InRange(tracker.Losses[^1], 9_900, 10_000);
    }

    [Fact]
    public void The_measured_bubble_is_the_idle_share_over_stages_and_windows()
    {
        Assert.Equal(1 - (3 + 1.0) / (2 * 4), Bubble.Measured([new StageLoad(0, 3, 4), new StageLoad(1, 1, 4)])!.Value, 12);
        Assert.Null(Bubble.Measured([]));
    }

    private List<string> Lines() => [.. _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    private static long StepOf(string line) => long.Parse(line.Split(' ', '/')[1].Replace(",", ""));

    private string LastFrame(string name)
    {
        var all = _output.ToString();
        return all[all.LastIndexOf(name, StringComparison.Ordinal)..];
    }

    private static IAnsiConsole Console(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = 100;
        console.Profile.Height = 40;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    private sealed class Thrower : RunObserver
    {
        public override void OnStep(StepMetrics step) => throw new IOException("disk full");
    }

    private sealed class Recorder : RunObserver
    {
        public List<long> Steps { get; } = [];

        public List<string> Notices { get; } = [];

        public override void OnStep(StepMetrics step) => Steps.Add(step.Step);

        public override void OnNotice(string text) => Notices.Add(text);
    }

    private sealed class BrokenWriter : StringWriter
    {
        public override void Write(char value) => throw new IOException("no terminal");

        public override void Write(string? value) => throw new IOException("no terminal");

        public override void Flush() => throw new IOException("no terminal");
    }

    private sealed class StuckWriter : StringWriter
    {
        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim Release { get; } = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(string? value)
        {
            Reached.Set();
            Release.Wait();
        }
    }
}
