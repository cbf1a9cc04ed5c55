using System.Diagnostics.Metrics;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Telemetry;

/// <summary>
/// What a run reports, as instruments of the process's meter. Times in seconds, shares in [0, 1]. All but the histogram are read when
/// somebody looks, so that a page that forgets what is not updated loses nothing.
/// </summary>
public sealed class RunMeters : IRunObserver
{
    private readonly Lock _lock = new();
    private readonly Histogram<double> _stepSeconds;
    private readonly SortedDictionary<string, long> _attempts = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, double> _busy = [];
    private long _tokens;
    private long _skipped;
    private long? _attempt;
    private long? _step;
    private long? _committed;
    private double? _bubble;
    private StepMetrics? _last;

    /// <summary>Makes the instruments.</summary>
    public RunMeters(Meter meter)
    {
        _stepSeconds = meter.CreateHistogram<double>("step_seconds", "s", "Wall-clock time of a training step");
        meter.CreateObservableCounter("tokens_total", Read(() => _tokens), null, "Tokens trained on, replayed ones included");
        meter.CreateObservableCounter("skipped_steps_total", Read(() => _skipped), null, "Steps whose update was skipped because of NaN or infinity");
        meter.CreateObservableCounter(
            "attempts_total", ReadAll(_attempts, "cause"), null, "Attempts begun, by cause: start, failure, loss (of a node or link), move (to other nodes)");
        meter.CreateObservableCounter("stage_busy_seconds_total", ReadAll(_busy, "stage"), "s", "Time a stage spent in forwards and backwards");
        meter.CreateObservableGauge("bubble_share", ReadKnown(() => _bubble), null, "Share of the last step in which stages idled, in [0, 1]");
        meter.CreateObservableGauge("loss_nats", ReadKnown(() => _last?.Loss), null, "Mean loss of the last step, nats");
        meter.CreateObservableGauge("progress_share", ReadKnown(() => _last?.Progress), null, "Share of the budget that is used, in [0, 1]");
        meter.CreateObservableGauge("step", ReadKnown(() => _step), null, "Last step done in the attempt under way");
        meter.CreateObservableGauge("attempt", ReadKnown(() => _attempt), null, "Number of the attempt under way");
        meter.CreateObservableGauge("committed_step", ReadKnown(() => _committed), null, "Step of the last committed checkpoint");
    }

    /// <inheritdoc/>
    public void OnAttempt(int attempt, long fromStep) => OnAttempt(attempt, fromStep, AttemptCause.Start);

    /// <inheritdoc/>
    public void OnAttempt(int attempt, long fromStep, AttemptCause cause)
    {
        lock (_lock)
        {
            var name = cause.ToString().ToLowerInvariant();
            _attempts[name] = _attempts.GetValueOrDefault(name) + 1;
            (_attempt, _step, _committed) = (attempt, fromStep, fromStep);
        }
    }

    /// <inheritdoc/>
    public void OnStep(StepMetrics step)
    {
        _stepSeconds.Record(step.Seconds);
        lock (_lock)
        {
            _tokens += step.Tokens;
            _skipped += step.Skipped ? 1 : 0;
            (_step, _last, _bubble) = (step.Step, step, StageLoad.Bubble(step.Stages));
            foreach (var load in step.Stages)
            {
                _busy[load.Stage] = _busy.GetValueOrDefault(load.Stage) + load.Busy;
            }
        }
    }

    /// <inheritdoc/>
    public void OnCommit(long step)
    {
        lock (_lock)
        {
            _committed = step;
        }
    }

    /// <inheritdoc/>
    public void OnNotice(string text)
    {
    }

    /// <inheritdoc/>
    public void OnEvaluation(EvaluationMetrics evaluation)
    {
    }

    /// <inheritdoc/>
    public void OnSpans(IReadOnlyList<StageSpan> spans)
    {
    }

    /// <inheritdoc/>
    public void OnDigest(long step, IReadOnlyList<LayerDigest> layers)
    {
    }

    /// <inheritdoc/>
    public void OnCheckpoint(long step, string path)
    {
    }

    private Func<T> Read<T>(Func<T> value) => () =>
    {
        lock (_lock)
        {
            return value();
        }
    };

    private Func<IEnumerable<Measurement<T>>> ReadKnown<T>(Func<T?> value)
        where T : struct => () =>
    {
        lock (_lock)
        {
            return value() is { } known ? [new Measurement<T>(known)] : [];
        }
    };

    private Func<IEnumerable<Measurement<T>>> ReadAll<TKey, T>(SortedDictionary<TKey, T> values, string label)
        where TKey : notnull
        where T : struct => () =>
    {
        lock (_lock)
        {
            return [.. values.Select(value => new Measurement<T>(value.Value, new KeyValuePair<string, object?>(label, value.Key)))];
        }
    };
}
