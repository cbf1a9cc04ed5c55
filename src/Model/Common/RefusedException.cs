namespace ActorTrainer.Model.Common;

/// <summary>
/// Input or configuration that the program refuses before it does any work (exit code 2). The message names what was
/// expected, what was found and what to do.
/// </summary>
public sealed class RefusedException : Exception
{
    public RefusedException(string message)
        : base(message)
    {
    }

    public RefusedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
