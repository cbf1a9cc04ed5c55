using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// Keeps the stage timings of the first and of the last steps of a run, for a trace of bounded size: the first show the
/// start-up, the last what came before the end.
/// </summary>
public sealed class TraceCollector : RunObserver
{
    private readonly int _steps;
    private readonly SortedDictionary<long, List<StageSpan>> _first = [];
    private readonly SortedDictionary<long, List<StageSpan>> _last = [];

    /// <param name="steps">Steps kept at the start, and at the end; 0 keeps nothing.</param>
    public TraceCollector(int steps) => _steps = Math.Max(0, steps);

    /// <summary>The kept spans by start time.</summary>
    public IReadOnlyList<StageSpan> Spans => [.. _first.Values.Concat(_last.Values).SelectMany(s => s).OrderBy(s => s.Start)];

    public override void OnSpans(IReadOnlyList<StageSpan> spans)
    {
        foreach (var span in spans)
        {
            Of(span.Step)?.Add(span);
        }
    }

    /// <summary>The steps that are run again replace their earlier try.</summary>
    public override void OnAttempt(int attempt, long fromStep)
    {
        foreach (var kept in new[] { _first, _last })
        {
            foreach (var step in kept.Keys.Where(s => s > fromStep).ToList())
            {
                kept.Remove(step);
            }
        }
    }

    private List<StageSpan>? Of(long step)
    {
        if (_steps == 0)
        {
            return null;
        }

        if (_first.TryGetValue(step, out var spans) || _last.TryGetValue(step, out spans))
        {
            return spans;
        }

        if (_first.Count < _steps && _last.Count == 0)
        {
            return _first[step] = [];
        }

        if (_last.Count == _steps)
        {
            var oldest = _last.Keys.First();
            if (step < oldest)
            {
                return null;
            }

            _last.Remove(oldest);
        }

        return _last[step] = [];
    }
}
