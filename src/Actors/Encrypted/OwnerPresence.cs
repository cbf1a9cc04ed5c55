namespace ActorTrainer.Actors.Encrypted;

/// <summary>Says once that the data owner, or a helper, is lost while it is needed, and once that it answers again. Members may be called by several threads.</summary>
/// <param name="address">Where it listens, for messages.</param>
/// <param name="notice">Told both.</param>
/// <param name="isHelper">Whether it is a helper, without whom a run goes on.</param>
internal sealed class OwnerPresence(string address, Action<string> notice, bool isHelper = false)
{
    private readonly Lock _gate = new();
    private bool _lost;

    private string Who => isHelper ? "the helper" : "the data owner";

    /// <summary>Who is waited for while the owner is lost, for people; else null.</summary>
    public string? Outage
    {
        get
        {
            lock (_gate)
            {
                return _lost ? $"{Who} at {address}" : null;
            }
        }
    }

    /// <summary>It could not be reached, or stopped answering.</summary>
    /// <param name="fault">Why.</param>
    public void Lose(string fault)
    {
        if (Turn(lost: true))
        {
            notice(isHelper ? $"The run goes on without the helper at {address}: {fault}" : $"The run waits for the data owner at {address}: {fault}");
        }
    }

    /// <summary>It answered.</summary>
    public void Find()
    {
        if (Turn(lost: false))
        {
            notice($"T{Who[1..]} at {address} answers again.");
        }
    }

    private bool Turn(bool lost)
    {
        lock (_gate)
        {
            var turned = _lost != lost;
            _lost = lost;
            return turned;
        }
    }
}
