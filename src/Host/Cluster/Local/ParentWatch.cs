namespace ActorTrainer.Host.Cluster.Local;

/// <summary>Tells a node that the supervisor which started it is gone, however it went, so that no node is left running.</summary>
internal sealed class ParentWatch : IDisposable
{
    /// <summary>Environment variable in which a supervisor names itself to its nodes.</summary>
    public const string Variable = "ACTORTRAINER_PARENT";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    private readonly ITimer _timer;
    private int _told;

    private ParentWatch(ProcessIdentity parent, Action gone, TimeProvider time) => _timer = time.CreateTimer(
        _ =>
        {
            if (!parent.IsAlive && Interlocked.Exchange(ref _told, 1) == 0)
            {
                gone();
            }
        },
        null,
        TimeSpan.Zero,
        Interval);

    /// <summary>Begins to watch the process that <see cref="Variable"/> names; null when nobody supervises this process.</summary>
    /// <param name="gone">Called once, on a thread of the pool, when the parent has ended.</param>
    /// <param name="time">Clock.</param>
    public static ParentWatch? Begin(Action gone, TimeProvider time) =>
        Begin(Environment.GetEnvironmentVariable(Variable), gone, time);

    /// <summary>Begins to watch the process that a text names; null when it names none.</summary>
    public static ParentWatch? Begin(string? parent, Action gone, TimeProvider time) =>
        ProcessIdentity.Parse(parent) is { } identity ? new ParentWatch(identity, gone, time) : null;

    /// <summary>Ends watching.</summary>
    public void Dispose() => _timer.Dispose();
}
