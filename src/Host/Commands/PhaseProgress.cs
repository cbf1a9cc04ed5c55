namespace ActorTrainer.Host.Commands;

/// <summary>Progress of the work before training, as one line that is rewritten on a terminal and repeated elsewhere.</summary>
/// <param name="output">Where it is written.</param>
/// <param name="terminal">Whether lines can be rewritten.</param>
/// <param name="time">Clock.</param>
internal sealed class PhaseProgress(TextWriter output, bool terminal, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _last = time.GetTimestamp();
    private int _width;

    /// <summary>Shows how far a phase is, at most a few times a second (every few seconds where lines cannot be rewritten).</summary>
    public void Report(string text)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_last).TotalSeconds < (terminal ? 0.1 : 3))
            {
                return;
            }

            _last = time.GetTimestamp();
            if (terminal)
            {
                output.Write($"\r{text.PadRight(_width)}");
                _width = text.Length;
            }
            else
            {
                output.WriteLine(text);
            }
        }
    }

    /// <summary>Ends a phase with a line that stays.</summary>
    public void Done(string text)
    {
        lock (_gate)
        {
            output.WriteLine(_width > 0 ? $"\r{text.PadRight(_width)}" : text);
            _width = 0;
        }
    }
}
