@echo off
rem genlab's one command on Windows: "lab ANYTHING" is "genlab ANYTHING"; the first start builds .venv.
rem "lab build" only builds; "lab test [--all]" runs the checks. All of it is in launcher\bootstrap.py.
rem After a double click the window stays open on an error; GENLAB_NO_PAUSE or CI, set to anything, forbid that.
setlocal
set "here=%~dp0"
set "python="
set "old="
set "code=1"
if not exist "%here%launcher\bootstrap.py" goto incomplete
if defined GENLAB_PYTHON call :try "%GENLAB_PYTHON%"
call :try py -3
call :try python
call :try python3
if not defined python goto none
%python% "%here%launcher\bootstrap.py" %*
set "code=%errorlevel%"
goto end

:try
rem Any Python from 3.8 on can run the builder, which then finds one to build with, or says what is missing.
rem The Microsoft Store's placeholder and an absent command run neither line.
if defined python exit /b 0
call %* -c "import sys; sys.exit(sys.version_info < (3, 8))" >nul 2>nul
if "%errorlevel%"=="0" set python=%*
if defined python exit /b 0
call %* -c "pass" >nul 2>nul
if "%errorlevel%"=="0" set "old=yes"
exit /b 0

:incomplete
echo genlab: "%here%" is not a complete copy of the project, perhaps because it is still inside the zip. 1>&2
echo genlab: Right-click the zip, choose "Extract All", then start again from the new folder. 1>&2
goto end

:none
if defined GENLAB_PYTHON echo genlab: GENLAB_PYTHON names "%GENLAB_PYTHON%", which does not run. 1>&2
if defined old goto old
if exist "%LOCALAPPDATA%\Microsoft\WindowsApps\python.exe" goto stub
echo genlab: No Python was found. 1>&2
goto install
:old
echo genlab: The Python found here is too old: genlab needs Python 3.11 or newer. 1>&2
goto install
:stub
echo genlab: No Python was found; the "python" here is only Windows' placeholder that opens the Store. 1>&2
:install
echo genlab: Install Python 3.12, 64-bit, from https://www.python.org/downloads/ 1>&2
echo genlab: and tick "Add python.exe to PATH" in its first window. Then start again. 1>&2

:end
if defined CI exit /b %code%
if defined GENLAB_NO_PAUSE exit /b %code%
if not "%code%"=="0" goto hold
if "%~1"=="" goto hold
if "%~1"=="build" goto hold
exit /b %code%

:hold
rem Explorer starts  cmd.exe /c ""C:\...\lab.bat" "  and a prompt does not: what is between tells them apart.
set "line=%cmdcmdline:"='%"
if "%line:/c ''=%"=="%line%" exit /b %code%
pause
exit /b %code%
