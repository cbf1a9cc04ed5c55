using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;

namespace ActorTrainer.Host.Views;

/// <summary>
/// A line now and then, for output that is not a terminal: the first step, then every 2 seconds at first and once a minute
/// in long runs, and each twentieth of the run; every notice, evaluation, checkpoint and new attempt has its own line.
/// </summary>
public sealed class PlainView : RunObserver
{
    private const int Parts = 20;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly TextWriter _output;
    private readonly RunBudget _budget;
    private readonly double? _formulaBubble;
    private readonly TimeProvider _time;
    private readonly RunTracker _tracker;
    private long _lastLine;
    private int _lastPart = -1;

    /// <param name="formulaBubble">Idle share by the schedule's formula, in [0, 1]; null where none applies.</param>
    public PlainView(TextWriter output, RunBudget budget, double? formulaBubble = null, TimeProvider? time = null)
    {
        _output = output;
        _budget = budget;
        _formulaBubble = formulaBubble;
        _time = time ?? TimeProvider.System;
        _tracker = new RunTracker(_time);
    }

    public override void OnNotice(string text) => Print(text);

    public override void OnAttempt(int attempt, long fromStep)
    {
        _tracker.OnAttempt(attempt);
        _lastPart = -1;
        if (attempt > 1 || fromStep > 0)
        {
            Print($"attempt {attempt}: goes on after step {fromStep:N0}");
        }
    }

    public override void OnStep(StepMetrics step)
    {
        _tracker.OnStep(step);
        if (step.Skipped)
        {
            Print($"step {step.Step:N0}: update skipped, loss {step.Loss} and gradient norm {step.GradientNorm} are not both finite");
        }

        // A line each part of the run keeps short runs readable; the interval grows so that long ones do not flood their log.
        var part = (int)(step.Progress * Parts);
        var interval = TimeSpan.FromTicks(Math.Clamp((_tracker.Elapsed / 50).Ticks, Shortest.Ticks, Longest.Ticks));
        if (part == _lastPart && _time.GetElapsedTime(_lastLine) < interval)
        {
            return;
        }

        _lastPart = part;
        _lastLine = _time.GetTimestamp();
        Print(Line(step));
    }

    public override void OnEvaluation(EvaluationMetrics evaluation)
    {
        _tracker.OnEvaluation(evaluation);
        Print(
            $"step {evaluation.Step:N0}  held-out loss {evaluation.Loss:0.000}  unigram entropy {evaluation.UnigramEntropy:0.000}  " +
            $"accuracy {Format.Percent(evaluation.Accuracy)}");
    }

    public override void OnCheckpoint(long step, string path) => Print($"step {step:N0}  checkpoint {path}");

    private string Line(StepMetrics step)
    {
        var line = $"{_budget.Position(step)}  {Format.Percent(step.Progress)}  loss {Format.Loss(step)}  lr {step.LearningRate:0.00e+0}  " +
            $"norm {Format.GradientNorm(step)}";
        if (_tracker.TokensPerSecond is { } rate)
        {
            line += $"  {Format.Count(rate)} tokens/s";
        }

        if (_tracker.Left is { } left)
        {
            line += $"  left {Format.Duration(left)}";
        }

        if (_tracker.MeasuredBubble is { } bubble)
        {
            line += $"  bubble {Format.Percent(bubble)}";
            if (_formulaBubble is { } formula)
            {
                line += $" (formula {Format.Percent(formula)})";
            }
        }

        return _tracker.OwnerShare is { } owner ? $"{line}  owner {Format.Percent(owner)}" : line;
    }

    private void Print(string line)
    {
        _output.WriteLine(line);
        _output.Flush();
    }
}
