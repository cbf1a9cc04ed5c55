using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Chaos;

/// <summary>Does the faults of a plan to a run, each once the run has got over the one before.</summary>
/// <param name="target">The cluster.</param>
/// <param name="clock">Clock of the run's watch.</param>
/// <param name="time">Clock.</param>
/// <param name="patience">Longest time to wait for a recovery, or for the step of a fault.</param>
/// <param name="say">Told lines for people.</param>
internal sealed class ChaosDriver(IFaultTarget target, RunClock clock, TimeProvider time, TimeSpan patience, Action<string> say)
{
    private readonly FaultInjector _injector = new(target, time);
    private readonly CancellationTokenSource _ended = new();
    private Task<RunProtocol.Outcome>? _run;

    /// <summary>Watches the run.</summary>
    public RecoveryWatch Watch { get; } = new(clock, say);

    /// <summary>Names the run that <see cref="Watch"/> looks on at: with it the faults end.</summary>
    public Task<RunProtocol.Outcome> Follow(Task<RunProtocol.Outcome> run)
    {
        _run = run;
        run.ContinueWith(_ => _ended.Cancel(), TaskScheduler.Default);
        return run;
    }

    /// <summary>Does all faults; returns when the run has ended, or when it did not recover in time.</summary>
    /// <param name="plan">The faults.</param>
    /// <param name="cancellation">Ends it early; what lasts is undone.</param>
    public async Task<IReadOnlyList<Survival>> Drive(FaultPlan plan, CancellationToken cancellation)
    {
        var done = new List<Survival>();
        foreach (var fault in plan.Faults)
        {
            if (await One(fault, cancellation).ConfigureAwait(false) is not { } survival)
            {
                break;
            }

            done.Add(survival);
            say(survival.RecoveredSeconds is { } recovered
                ? $"fault {fault.Number}: recovered after {recovered:0.0} s, {survival.Replayed} steps replayed"
                : $"fault {fault.Number}: not recovered after {patience.TotalSeconds:0} s");
            if (survival.RecoveredSeconds is null)
            {
                break;
            }
        }

        return done;
    }

    /// <summary>Does one fault and waits until the run has got over it. Null: the run has ended before.</summary>
    public async Task<Survival?> One(Fault fault, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ended.Token);
        Mark? first = null;
        var last = default(Mark);
        var note = "";
        Recovery? recovery = null;
        try
        {
            limit.CancelAfter(patience);
            await Watch.UntilCommitted(fault.AtStep, limit.Token).ConfigureAwait(false);
            say($"fault {fault.Number} after step {Watch.Committed}: {fault}");
            limit.CancelAfter(patience + fault.Duration);
            note = await _injector.Inject(
                fault,
                () =>
                {
                    last = Watch.Now;
                    first ??= last;
                },
                limit.Token).ConfigureAwait(false);
            recovery = await Watch.UntilRecovered(first!.Value, last, limit.Token).ConfigureAwait(false);
            if (fault.Lasts)
            {
                await Watch.UntilCommitted(Watch.Committed + 1, limit.Token).ConfigureAwait(false); // whole again
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            if (first is null)
            {
                return null;
            }

            // The last step of a run has no next one: that the run has completed proves as much.
            recovery ??= _run is { IsCompletedSuccessfully: true, Result.Kind: OutcomeKind.Completed } ? new Recovery(null, clock.Seconds - first.Value.At, 0) : null;
        }

        return new Survival
        {
            Number = fault.Number,
            Fault = Fault.NameOf(fault.Kind) + (fault.Lasts ? $" {fault.Duration.TotalSeconds:0.0} s" : ""),
            Nodes = string.Join(", ", fault.Nodes),
            AtStep = first!.Value.Step,
            DetectedSeconds = recovery?.Detected,
            RecoveredSeconds = recovery?.Recovered,
            Replayed = recovery?.Replayed ?? 0,
            Note = note,
        };
    }
}
