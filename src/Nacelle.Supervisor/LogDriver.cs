namespace Nacelle.Supervisor;

/// <summary>Where the apps' output is kept, beside being passed on.</summary>
enum LogDriver
{
    /// <summary>In files, and in the machine's journal where there is one.</summary>
    Automatic,

    /// <summary>In files and in the machine's journal.</summary>
    Journal,
    Files,
    None,
}
