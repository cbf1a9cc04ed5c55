using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Keeps count of what the data owner serves, and says so when asked. It computes nothing: requests are answered by <see cref="DataOwner"/>'s threads.</summary>
public sealed class OwnerActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HashSet<string> _warned = [];
    private OwnerProtocol.Status _status = OwnerProtocol.Status.Nothing;

    /// <param name="guard">Watches ranges; null: nobody does.</param>
    public OwnerActor(RangeGuard? guard = null)
    {
        Receive<OwnerProtocol.Served>(served =>
        {
            _status = _status.After(served);
            if (served.Outcome is OwnerProtocol.Outcome.Rejected or OwnerProtocol.Outcome.Failed)
            {
                _log.Warning("A request was not answered: {0}", _status.Trouble);
            }

            Warn(guard?.Warnings ?? []);
        });
        Receive<OwnerProtocol.AskStatus>(_ => Sender.Tell(_status with { Warnings = guard?.Warnings ?? [] }));
    }

    /// <summary>Once for each site.</summary>
    private void Warn(IReadOnlyList<RangeWarning> warnings)
    {
        foreach (var warning in warnings.Where(warning => _warned.Add(warning.Site)))
        {
            _log.Warning("Values of {0} left [{1}, {2}]: the approximation is wrong there. Calibrate with a wider interval.", warning.Site, warning.Low, warning.High);
        }
    }
}
