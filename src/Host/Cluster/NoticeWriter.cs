using System.Text;

namespace ActorTrainer.Host.Cluster;

/// <summary>Turns lines into notices.</summary>
/// <param name="notice">Told each line.</param>
internal sealed class NoticeWriter(Action<string> notice) : TextWriter
{
    public override Encoding Encoding => Encoding.Unicode;

    public override void WriteLine(string? value) => notice(value ?? "");
}
