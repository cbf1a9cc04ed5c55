namespace ActorTrainer.Model.Glue;

/// <summary>Columns of a task's official TSV file, counted from 0; −1: there is none.</summary>
/// <param name="Columns">Columns of every row.</param>
/// <param name="First">Column of the first sentence.</param>
/// <param name="Second">Column of the second sentence.</param>
/// <param name="Label">Column of the label.</param>
/// <param name="Id">Column of the row's id.</param>
/// <param name="Header">Whether the first line names the columns.</param>
internal readonly record struct TsvLayout(int Columns, int First, int Second, int Label, int Id, bool Header = true)
{
    /// <summary>The layout of a split.</summary>
    public static TsvLayout Of(GlueTask task, string split)
    {
        var test = split.StartsWith("test", StringComparison.Ordinal);
        return task switch
        {
            GlueTask.Cola => test ? new(2, 1, -1, -1, 0) : new(4, 3, -1, 1, -1, Header: false),
            GlueTask.Mrpc => test ? new(5, 3, 4, -1, 0) : new(5, 3, 4, 0, -1),
            GlueTask.Stsb => test ? new(9, 7, 8, -1, 0) : new(10, 7, 8, 9, 0),
            GlueTask.Sst2 => test ? new(2, 1, -1, -1, 0) : new(2, 0, -1, 1, -1),
            GlueTask.Qqp => test ? new(3, 1, 2, -1, 0) : new(6, 3, 4, 5, 0),
            GlueTask.Mnli => test ? new(10, 8, 9, -1, 0) : split == GlueTaskInfo.Train ? new(12, 8, 9, 11, 0) : new(16, 8, 9, 15, 0),
            _ => test ? new(3, 1, 2, -1, 0) : new(4, 1, 2, 3, 0), // RTE, QNLI, WNLI
        };
    }
}
