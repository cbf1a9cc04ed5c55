using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;

namespace ActorTrainer.Host.Views;

/// <summary>What a view shows of a run: latest numbers, rates over the last steps, and the loss so far in bounded memory. Not thread-safe.</summary>
internal sealed class RunTracker
{
    /// <summary>Steps that rates, time left and stage loads are taken over.</summary>
    private const int Window = 32;

    /// <summary>Points of the loss kept; when full, neighbours are merged and every point stands for twice as many steps.</summary>
    private const int LossPoints = 512;

    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly Queue<(long Time, double Progress, long Tokens)> _recent = [];
    private readonly Queue<IReadOnlyList<StageLoad>> _loads = [];
    private readonly List<double> _losses = [];
    private int _stepsPerPoint = 1;
    private double _pendingLoss;
    private int _pendingSteps;
    private long _tokens;

    public RunTracker(TimeProvider time)
    {
        _time = time;
        _started = time.GetTimestamp();
        _recent.Enqueue((_started, double.NaN, 0));
    }

    public StepMetrics? Step { get; private set; }

    public EvaluationMetrics? Evaluation { get; private set; }

    public EvaluationMetrics? BestEvaluation { get; private set; }

    public int Attempt { get; private set; } = 1;

    public long Skipped { get; private set; }

    /// <summary>Mean losses of consecutive runs of steps, oldest first.</summary>
    public IReadOnlyList<double> Losses => _pendingSteps > 0 ? [.. _losses, _pendingLoss / _pendingSteps] : _losses;

    public TimeSpan Elapsed => _time.GetElapsedTime(_started);

    /// <summary>Tokens per second of wall-clock time over the last steps.</summary>
    public double? TokensPerSecond
    {
        get
        {
            var (first, last) = (_recent.First(), _recent.Last());
            var seconds = _time.GetElapsedTime(first.Time, last.Time).TotalSeconds;
            return seconds > 0 ? (last.Tokens - first.Tokens) / seconds : null;
        }
    }

    /// <summary>Time left at the pace of the last steps; null until two steps of this attempt are done.</summary>
    public TimeSpan? Left
    {
        get
        {
            var known = _recent.Where(r => !double.IsNaN(r.Progress)).ToList();
            if (known.Count < 2 || known[^1].Progress <= known[0].Progress)
            {
                return null;
            }

            var pace = _time.GetElapsedTime(known[0].Time, known[^1].Time).TotalSeconds / (known[^1].Progress - known[0].Progress);
            var seconds = pace * Math.Max(0, 1 - known[^1].Progress);
            return seconds < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(seconds) : null;
        }
    }

    /// <summary>Busy share of each stage over the last steps, by stage.</summary>
    public IReadOnlyList<(int Stage, double Busy)> StageLoads =>
    [
        .. from load in _loads.SelectMany(l => l)
           group load by load.Stage into stage
           orderby stage.Key
           let window = stage.Sum(l => l.Window)
           select (stage.Key, window > 0 ? Math.Clamp(stage.Sum(l => l.Busy) / window, 0, 1) : 0),
    ];

    /// <summary>Idle share of all stages over the last steps.</summary>
    public double? MeasuredBubble => Bubble.Measured(_loads.SelectMany(l => l));

    /// <summary>Share of the stages' time over the last steps that is waiting for the data owner; null where there is none.</summary>
    public double? OwnerShare => StageLoad.WaitShare(_loads.SelectMany(l => l));

    public void OnAttempt(int attempt)
    {
        Attempt = attempt;
        _recent.Clear();
        _recent.Enqueue((_time.GetTimestamp(), double.NaN, _tokens));
    }

    public void OnStep(StepMetrics step)
    {
        Step = step;
        _tokens += step.Tokens;
        Skipped += step.Skipped ? 1 : 0;
        Push(_recent, (_time.GetTimestamp(), step.Progress, _tokens));
        if (step.Stages.Count > 0)
        {
            Push(_loads, step.Stages);
        }

        if (double.IsFinite(step.Loss))
        {
            AddLoss(step.Loss);
        }
    }

    public void OnEvaluation(EvaluationMetrics evaluation)
    {
        Evaluation = evaluation;
        if (double.IsFinite(evaluation.Loss) && (BestEvaluation is null || evaluation.Loss < BestEvaluation.Loss))
        {
            BestEvaluation = evaluation;
        }
    }

    private static void Push<T>(Queue<T> queue, T item)
    {
        queue.Enqueue(item);
        while (queue.Count > Window)
        {
            queue.Dequeue();
        }
    }

    private void AddLoss(double loss)
    {
        _pendingLoss += loss;
        if (++_pendingSteps < _stepsPerPoint)
        {
            return;
        }

        _losses.Add(_pendingLoss / _pendingSteps);
        (_pendingLoss, _pendingSteps) = (0, 0);
        if (_losses.Count < LossPoints)
        {
            return;
        }

        for (var i = 0; i < LossPoints / 2; i++)
        {
            _losses[i] = (_losses[2 * i] + _losses[2 * i + 1]) / 2;
        }

        _losses.RemoveRange(LossPoints / 2, LossPoints / 2);
        _stepsPerPoint *= 2;
    }
}
